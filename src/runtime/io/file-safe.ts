/**
 * Names of tensors as parts of file names, each different from the others: what is neither letter, digit, dot, dash
 * nor underscore becomes `_`.
 */
export const fileSafe = (names: readonly string[]): readonly string[] => {
  const taken = new Set<string>()
  return names.map(name => {
    const safe = name.replace(/[^\p{L}\p{N}._-]/gu, '_')
    let own = safe
    for (let i = 2; taken.has(own); i++) own = `${safe}-${i}`
    taken.add(own)
    return own
  })
}
