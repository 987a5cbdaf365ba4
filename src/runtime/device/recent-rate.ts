import { type Seconds, seconds } from '../../core/units.ts'

/** Rates are taken over about this long. */
const WINDOW: Seconds = seconds(10)
/** Looks at the counter this near to each other tell nothing more. */
const APART: Seconds = seconds(0.2)

/** How fast a counter grows now: over the last ten seconds, or since the first look while that is less. */
export class RecentRate {
  #samples: { readonly at: Seconds; readonly count: number }[] = []

  /** What the counter says now. @returns its growth per second */
  at(now: Seconds, count: number): number {
    const samples = this.#samples
    // The oldest that is kept is just outside the window, so that the rate is of all of it.
    while (samples.length > 1 && now - samples[1]!.at >= WINDOW) samples.shift()
    const first = samples[0]
    if (first === undefined || now - samples.at(-1)!.at >= APART) samples.push({ at: now, count })
    return first !== undefined && now > first.at ? (count - first.count) / Math.max(now - first.at, APART) : 0
  }
}
