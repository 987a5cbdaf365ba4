/** Whole numbers from 0 that came nearly in order, kept as ranges: memory is for the gaps, not for the numbers. */
export class NumberRanges {
  /** Ascending, apart from one another. */
  readonly #ranges: { from: number; to: number }[] = []

  /** How many ranges there are. */
  get size(): number {
    return this.#ranges.length
  }

  has(n: number): boolean {
    const at = this.#indexAfter(n) - 1
    return at >= 0 && n <= this.#ranges[at]!.to
  }

  /** @returns false when it was there */
  add(n: number): boolean {
    const at = this.#indexAfter(n)
    const before = this.#ranges[at - 1]
    const after = this.#ranges[at]
    if (before !== undefined && n <= before.to) return false
    const [joinsBefore, joinsAfter] = [before?.to === n - 1, after?.from === n + 1]
    if (joinsBefore && joinsAfter) {
      before!.to = after!.to
      this.#ranges.splice(at, 1)
    } else if (joinsBefore) before!.to = n
    else if (joinsAfter) after!.from = n
    else this.#ranges.splice(at, 0, { from: n, to: n })
    return true
  }

  /** Of the first range that begins behind `n`. */
  #indexAfter(n: number): number {
    let [low, high] = [0, this.#ranges.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ranges[middle]!.from <= n) low = middle + 1
      else high = middle
    }
    return low
  }
}
