import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/**
 * Time that passed while this process was awake: a process that was stopped, or whose event loop was blocked, must not
 * take its own silence for that of all others. It is looked at regularly; a gap between two looks counts as no more
 * than `longest`.
 */
export class AwakeTime {
  readonly #clock: Clock
  readonly #longest: Seconds
  #looked: Seconds
  #awake = 0

  constructor(clock: Clock, longest: Seconds) {
    this.#clock = clock
    this.#longest = longest
    this.#looked = clock.now()
  }

  now(): Seconds {
    const now = this.#clock.now()
    this.#awake += Math.min(now - this.#looked, this.#longest)
    this.#looked = now
    return seconds(this.#awake)
  }
}
