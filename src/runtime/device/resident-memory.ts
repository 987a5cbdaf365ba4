import type { Clock } from '../../core/clock.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'

const FRESH: Seconds = seconds(1)

/** What this process has of the machine's memory. To ask may read a file of the kernel's, which takes longer than a report. */
export class ResidentMemory {
  readonly #clock: Clock
  readonly #ask: () => Bytes
  #asked: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #value: Bytes = bytes(0)

  constructor(clock: Clock, ask: () => Bytes = () => bytes(0)) {
    this.#clock = clock
    this.#ask = ask
  }

  /** Of now, or of less than a second ago. */
  now(): Bytes {
    const now = this.#clock.now()
    if (now - this.#asked < FRESH) return this.#value
    this.#asked = now
    this.#value = this.#ask()
    return this.#value
  }
}
