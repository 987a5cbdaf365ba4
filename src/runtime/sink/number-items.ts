/**
 * Which item is which datum. A datum keeps its item for ever: items are known by name, so those that were added to the
 * folder since get new numbers, whatever their place in name order.
 *
 * @param saved names by datum, of the last run; undefined where a number has no item
 * @param recorded names by datum, of the sink, which is right where the two differ: it may be older or of another folder
 * @param present names of the items that are there now, in name order
 * @returns names by datum
 */
export const numberItems = (
  saved: readonly (string | undefined)[],
  recorded: ReadonlyMap<number, string>,
  present: readonly string[]
): readonly (string | undefined)[] => {
  const names: (string | undefined)[] = [...saved]
  const inSink = new Set(recorded.values())
  for (const [datum, name] of names.entries()) {
    if (name !== undefined && inSink.has(name) && recorded.get(datum) !== name) names[datum] = undefined
  }
  for (const [datum, name] of recorded) {
    while (names.length < datum) names.push(undefined)
    names[datum] = name
  }
  const known = new Set(names)
  for (const name of present) if (!known.has(name)) names.push(name)
  return names
}
