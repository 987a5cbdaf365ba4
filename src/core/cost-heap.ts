/** Numbers by cost, least first, ties by the smaller number. The same number may be in it several times. */
export class CostHeap {
  readonly #costs: number[] = []
  readonly #items: number[] = []

  push(cost: number, item: number): void {
    let hole = this.#costs.length
    this.#costs.push(cost)
    this.#items.push(item)
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      if (!this.#isBefore(cost, item, parent)) break
      this.#move(parent, hole)
      hole = parent
    }
    this.#costs[hole] = cost
    this.#items[hole] = item
  }

  /** @returns -1 when it is empty */
  pop(): number {
    const first = this.#items[0]
    if (first === undefined) return -1
    const cost = this.#costs.pop()!
    const item = this.#items.pop()!
    if (this.#items.length > 0) this.#sink(cost, item)
    return first
  }

  clear(): void {
    this.#costs.length = 0
    this.#items.length = 0
  }

  #sink(cost: number, item: number): void {
    const size = this.#items.length
    let hole = 0
    for (;;) {
      let child = 2 * hole + 1
      if (child >= size) break
      if (child + 1 < size && this.#isBefore(this.#costs[child + 1]!, this.#items[child + 1]!, child)) child++
      if (this.#isBefore(cost, item, child)) break
      this.#move(child, hole)
      hole = child
    }
    this.#costs[hole] = cost
    this.#items[hole] = item
  }

  #isBefore(cost: number, item: number, other: number): boolean {
    const theirs = this.#costs[other]!
    return cost < theirs || (cost === theirs && item < this.#items[other]!)
  }

  #move(from: number, to: number): void {
    this.#costs[to] = this.#costs[from]!
    this.#items[to] = this.#items[from]!
  }
}
