/** [0, 1, 2, 5] -> "0-2,5"; "-" for none. The numbers in rising order. */
export const blockRanges = (blocks: readonly number[]): string => {
  const runs: [number, number][] = []
  for (const block of blocks) {
    const last = runs.at(-1)
    if (last !== undefined && block === last[1] + 1) last[1] = block
    else runs.push([block, block])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',') || '-'
}
