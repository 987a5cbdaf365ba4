/** Numbers of a page, a power of two. */
const PAGE = 64
const BITS = Math.log2(PAGE)

/**
 * A number for each index, 0 where none was set. Pages of them are made where one is: what a device knows of few resources of a
 * large network takes little room.
 */
export class PagedNumbers {
  readonly #pages: (Float64Array | undefined)[] = []

  at(index: number): number {
    return this.#pages[index >> BITS]?.[index & (PAGE - 1)] ?? 0
  }

  set(index: number, value: number): void {
    const page = index >> BITS
    while (this.#pages.length <= page) this.#pages.push(undefined)
    this.#pages[page] ??= new Float64Array(PAGE)
    this.#pages[page][index & (PAGE - 1)] = value
  }
}
