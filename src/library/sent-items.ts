import type { Clock } from '../core/clock.ts'
import type { NumberedItem } from '../runtime/ports/source-data.ts'
import { memoryItem } from './memory-item.ts'
import type { ItemLike } from './tensor-like.ts'

/** Items that a program sends one by one, first in, first out; at most `capacity` of them wait. Read once. */
export class SentItems implements AsyncIterable<NumberedItem> {
  readonly #capacity: number
  readonly #clock: Clock
  readonly #waiting: NumberedItem[] = []
  #wake: () => void = () => {}
  #sent = 0
  #ended = false

  constructor(capacity: number, clock: Clock) {
    this.#capacity = capacity
    this.#clock = clock
  }

  /** Items that were sent so far, those that found it full included. */
  get taken(): number {
    return this.#sent
  }

  get ended(): boolean {
    return this.#ended
  }

  /** @returns the datum, and whether it found room */
  send(item: ItemLike): NumberedItem & { readonly isTaken: boolean } {
    const datum = this.#sent++
    const numbered = { datum, item: memoryItem(item, datum), since: this.#clock.now() }
    const isTaken = !this.#ended && this.#waiting.length < this.#capacity
    if (isTaken) this.#waiting.push(numbered)
    this.#wake()
    return { ...numbered, isTaken }
  }

  /** Nothing more comes; what waits is still given. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** It ends now, with what waits. */
  close(): void {
    this.#waiting.length = 0
    this.end()
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedItem> {
    return {
      next: async () => {
        for (;;) {
          const value = this.#waiting.shift()
          if (value !== undefined) return { done: false, value }
          if (this.#ended) return { done: true, value: undefined }
          await new Promise<void>(wake => {
            this.#wake = wake
          })
        }
      }
    }
  }
}
