import type { Clock } from '../../../core/clock.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { Item } from '../../ports/data-port.ts'
import type { ItemStream, NumberedItem } from '../../ports/source-data.ts'

interface Waiting<T> {
  readonly item: T
  readonly since: Seconds
}

/** Data of one who asks, first in, first out, until the network takes them. One that is not wanted any more is taken out. Read once. */
export class RequestQueue<T extends Item> implements ItemStream {
  /** As ItemStream. */
  expects: () => Seconds = () => seconds(0)
  readonly #clock: Clock
  readonly #took: (numbered: NumberedItem & { readonly item: T }) => void
  readonly #waiting = new Set<Waiting<T>>()
  readonly #places = new Map<T, Waiting<T>>()
  #taken = 0
  #isClosed = false
  #wake: () => void = () => {}

  /** @param took is told of each, with its number, before it is given */
  constructor(clock: Clock, took: (numbered: NumberedItem & { readonly item: T }) => void) {
    this.#clock = clock
    this.#took = took
  }

  /** Data that it has given so far. */
  get taken(): number {
    return this.#taken
  }

  get size(): number {
    return this.#waiting.size
  }

  put(item: T): void {
    const waiting = { item, since: this.#clock.now() }
    this.#waiting.add(waiting)
    this.#places.set(item, waiting)
    this.#wake()
  }

  /** @returns whether it still waited */
  remove(item: T): boolean {
    const waiting = this.#places.get(item)
    this.#places.delete(item)
    return waiting !== undefined && this.#waiting.delete(waiting)
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedItem> {
    return {
      next: async () => {
        for (;;) {
          const [first] = this.#waiting
          if (first !== undefined && !this.#isClosed) return { done: false, value: this.#take(first) }
          if (this.#isClosed) return { done: true, value: undefined }
          await new Promise<void>(wake => {
            this.#wake = wake
          })
        }
      }
    }
  }

  #take(waiting: Waiting<T>): NumberedItem {
    const { item, since } = waiting
    this.#waiting.delete(waiting)
    this.#places.delete(item)
    const numbered = { datum: this.#taken++, item, since }
    this.#took(numbered)
    return numbered
  }
}
