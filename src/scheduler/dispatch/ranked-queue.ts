/** The order of a queue: smallest rank first, then smallest tie, then smallest turn. All are asked once, on entry. */
export interface Ranking<T> {
  readonly rank: (item: T) => number
  readonly tie: (item: T) => number
  /** No two items have the same. An item that leaves the queue and comes back keeps it. */
  readonly turn: (item: T) => number
}

/** Waiting items, served in the order of their ranking. A binary heap: a device may hold the windows of many sources. */
export class RankedQueue<T> {
  readonly #ranking: Ranking<T>
  readonly #heap: (Place & { readonly item: T })[] = []

  constructor(ranking: Ranking<T>) {
    this.#ranking = ranking
  }

  get size(): number {
    return this.#heap.length
  }

  /** In no particular order. */
  each(look: (item: T) => void): void {
    for (const { item } of this.#heap) look(item)
  }

  inOrder(): T[] {
    return this.#heap.toSorted(compare).map(({ item }) => item)
  }

  push(item: T): void {
    this.#heap.push(this.#placed(item))
    let i = this.#heap.length - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.#before(i, parent)) break
      this.#swap(i, parent)
      i = parent
    }
  }

  /** Whether an item that is not here would be the first. */
  isLedBy(item: T): boolean {
    const first = this.#heap[0]
    return first === undefined || compare(this.#placed(item), first) < 0
  }

  first(): T | undefined {
    return this.#heap[0]?.item
  }

  shift(): T | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined || first === last) return first?.item
    this.#heap[0] = last
    this.#sink(0)
    return first.item
  }

  /** Take out all that are wanted; the others keep their places. */
  takeOut(wanted: (item: T) => boolean): T[] {
    const all = this.#heap.splice(0).sort(compare)
    for (const entry of all) if (!wanted(entry.item)) this.#heap.push(entry) // sorted, so already a heap
    return all.flatMap(({ item }) => (wanted(item) ? [item] : []))
  }

  #placed(item: T): Place & { readonly item: T } {
    const { rank, tie, turn } = this.#ranking
    return { item, rank: rank(item), tie: tie(item), turn: turn(item) }
  }

  #sink(from: number): void {
    let i = from
    for (;;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }

  #before(i: number, j: number): boolean {
    return compare(this.#heap[i]!, this.#heap[j]!) < 0
  }

  #swap(i: number, j: number): void {
    const held = this.#heap[i]!
    this.#heap[i] = this.#heap[j]!
    this.#heap[j] = held
  }
}

interface Place {
  readonly rank: number
  readonly tie: number
  readonly turn: number
}

const compare = (a: Place, b: Place): number => a.rank - b.rank || a.tie - b.tie || a.turn - b.turn
