import type { LiveItems } from '../runtime/device/live-items.ts'
import type { NumberedItem } from '../runtime/ports/source-data.ts'
import type { ProgramItems } from './program-source.ts'
import type { PulledItems } from './pulled-items.ts'

/** A program's iterable that is read as fast as it gives: what comes of it is admitted or dropped by the source's terms. Read once. */
export class PumpedItems implements ProgramItems {
  readonly #pulled: PulledItems
  readonly #live: LiveItems

  constructor(pulled: PulledItems, live: LiveItems) {
    this.#pulled = pulled
    this.#live = live
  }

  get taken(): number {
    return this.#pulled.taken
  }

  tick(): void {
    this.#live.tick()
  }

  close(): void {
    this.#pulled.close()
    this.#live.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<NumberedItem> {
    void this.#pump()
    return this.#live[Symbol.asyncIterator]()
  }

  /** What the iterable throws ends it, and is kept by it. */
  async #pump(): Promise<void> {
    for await (const { item } of this.#pulled) if ((await this.#live.offer(item)) === undefined) break
    this.#live.end()
  }
}
