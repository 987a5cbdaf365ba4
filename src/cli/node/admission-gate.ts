import type { ItemStream, NumberedItem } from '../../runtime/ports/source-data.ts'

/** How far into their items the sources of a device may go; all the way, until something else is said. */
export class AdmissionGate {
  #limit = Number.POSITIVE_INFINITY
  readonly #waiting = new Set<() => void>()

  /** Something was said. */
  get isUsed(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY
  }

  /** Data of each source whose number is below `count` may begin; those that have begun go on. */
  allow(count: number): void {
    this.#limit = count
    this.#tell()
  }

  /** The items of a list, each where it may begin and not before. */
  through(list: readonly NumberedItem[]): ItemStream {
    let isOver = false
    const mayBegin = ({ datum }: NumberedItem): boolean => isOver || datum < this.#limit
    const items = async function* (told: () => Promise<void>): AsyncGenerator<NumberedItem> {
      for (const item of list) {
        while (!mayBegin(item)) await told()
        if (isOver) return
        yield item
      }
    }
    return {
      [Symbol.asyncIterator]: () => items(() => new Promise(resolve => this.#waiting.add(resolve))),
      close: () => {
        isOver = true
        this.#tell()
      }
    }
  }

  #tell(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const go of waiting) go()
  }
}
