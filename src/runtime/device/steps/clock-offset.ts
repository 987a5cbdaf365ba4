import type { Seconds } from '../../../core/units.ts'

/** Two clocks go apart by so much of the time that passes. */
const DRIFT = 1e-4

/**
 * How far another device's clock is ahead of ours, from questions and the instants of their answers: the answer was given
 * between the question and its coming, so that the quickest says it best (F. Cristian, Distributed Computing 3, 1989).
 */
export class ClockOffset {
  #ahead = 0
  #within = Number.POSITIVE_INFINITY
  #measuredAt = 0

  /** What to add to an instant of theirs for ours. */
  get toOurs(): number {
    return -this.#ahead
  }

  /** What it may be wrong by at `now`. */
  within(now: Seconds): number {
    return this.#within + DRIFT * (now - this.#measuredAt)
  }

  /** @param theirs their clock at the answer to what was asked at `asked` and answered at `answered` */
  add(asked: Seconds, answered: Seconds, theirs: number): void {
    const half = (answered - asked) / 2
    if (half > this.within(answered)) return
    this.#ahead = theirs - (asked + half)
    this.#within = half
    this.#measuredAt = answered
  }
}
