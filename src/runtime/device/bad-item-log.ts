import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** So many items are named one by one; after that they are counted. */
const NAMED = 5
/** How often those that are counted are told. */
const INTERVAL: Seconds = seconds(10)

/** Says which items were none and why: the first few each, the rest in lines that count, so that a thousand are not a thousand lines. */
export class BadItemLog {
  readonly #clock: Clock
  readonly #say: (text: string, level?: 'warn') => void
  #named = 0
  #counted = 0
  #last = ''
  #toldAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(clock: Clock, say: (text: string, level?: 'warn') => void) {
    this.#clock = clock
    this.#say = say
  }

  add(item: string, because: string): void {
    if (this.#named < NAMED) {
      this.#named++
      this.#toldAt = this.#clock.now()
      this.#say(`${item} has failed: ${because}`, 'warn')
      return
    }
    this.#counted++
    this.#last = `${item}: ${because}`
  }

  /** Called often, and with `isOver` when nothing more comes. */
  tick(isOver = false): void {
    if (this.#counted === 0 || !(isOver || this.#clock.now() - this.#toldAt >= INTERVAL)) return
    this.#toldAt = this.#clock.now()
    this.#say(`${this.#counted} more have failed, the last ${this.#last}; the sink has them all`, 'warn')
    this.#counted = 0
  }
}
