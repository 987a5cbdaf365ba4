/** Seconds of the window in which results are counted. */
const WINDOW = 2
const STEP = 0.1

export interface Recovery {
  /** When each result was home, by source, seconds from the start. */
  readonly ends: readonly (readonly number[])[]
  /** Results per second that the changed network can serve. */
  readonly bound: number
  /** When the network changed, and when it changed again; seconds from the start. */
  readonly change: number
  readonly next: number
}

/**
 * Seconds from the change until a window of all sources together has 90 % of the bound; undefined: never before the next
 * change, nor while every source still has data. Once one is done the others have the network for themselves.
 */
export const recovery = ({ ends, bound, change, next }: Recovery): number | undefined => {
  const until = ends.reduce((first, of) => Math.min(first, Math.max(...of)), next)
  const all = ends.flat()
  for (let i = 0; change + i * STEP + WINDOW <= until; i++) {
    const from = change + i * STEP
    const results = all.filter(end => end >= from && end < from + WINDOW).length
    if (results >= 0.9 * bound * WINDOW) return from - change
  }
  return undefined
}
