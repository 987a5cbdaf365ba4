import type { ItemLike } from '../runtime/io/tensor-like.ts'
import type { NumberedItem } from '../runtime/ports/source-data.ts'
import { memoryItem } from './memory-item.ts'
import type { Items } from './source-options.ts'

/** A program's iterable, asked for one item after the other, each when the network may soon take it. Read once. */
export class PulledItems implements AsyncIterable<NumberedItem> {
  readonly #items: Items
  readonly #came: (item: NumberedItem) => void
  #isClosed = false
  /** Ends what is waited for. */
  #wake: () => void = () => {}
  #taken = 0
  #failure: { readonly error: unknown } | undefined

  /** @param came is told of each before it is given */
  constructor(items: Items, came: (item: NumberedItem) => void = () => {}) {
    this.#items = items
    this.#came = came
  }

  /** Items that it has given so far. */
  get taken(): number {
    return this.#taken
  }

  /** What the iterable threw; it has ended with it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /** It ends now, also where it is waited for. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedItem> {
    const items = this.#items
    const own: Iterator<ItemLike> | AsyncIterator<ItemLike> =
      Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
    const end = { done: true, value: undefined } as const
    const release = (): void => {
      // Whoever waits in it for an item that never comes does not hold up the end.
      void (async () => own.return?.())().catch(() => {})
    }
    return {
      next: async () => {
        try {
          const step = await this.#next(own)
          if (step === 'closed') release()
          if (step === 'closed' || step.done === true) return end
          const datum = this.#taken++
          const value = { datum, item: memoryItem(step.value, datum) }
          this.#came(value)
          return { done: false, value }
        } catch (error) {
          this.#failure = { error }
          return end
        }
      },
      return: async () => {
        release()
        return end
      }
    }
  }

  /** A promise of its own for each, since what waits for one that lasts is kept for as long. */
  #next(own: Iterator<ItemLike> | AsyncIterator<ItemLike>): Promise<IteratorResult<ItemLike> | 'closed'> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve('closed')
      if (this.#isClosed) resolve('closed')
      else Promise.resolve(own.next()).then(resolve, reject)
    })
  }
}
