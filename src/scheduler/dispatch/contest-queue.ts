import { RankedQueue, type Ranking } from './ranked-queue.ts'

/** The ranking orders the items of one class. */
export interface ContestRules<T> extends Ranking<T> {
  /**
   * Between classes: the first of each contends, the most urgent is served. It may change with time, as `rank` may not.
   * Absent: one class for all.
   */
  readonly contest?: { readonly classOf: (item: T) => number; readonly urgency: (item: T) => number } | undefined
  /** Asked of the one that is to be served: it is served after all of whom this is not true. Absent: of none. */
  readonly yields?: ((item: T) => boolean) | undefined
  /** Whether that may ever be true of it. Absent: it may. */
  readonly mayYield?: ((item: T) => boolean) | undefined
}

/** Waiting items of several classes, each in its own order. There are few classes: sources have few weights. */
export class ContestQueue<T> {
  readonly #rules: ContestRules<T>
  readonly #classes = new Map<number, RankedQueue<T>>()
  /** Whose turn had come, and who gave way. */
  readonly #yielding: RankedQueue<T>

  constructor(rules: ContestRules<T>) {
    this.#rules = rules
    this.#yielding = new RankedQueue(rules)
  }

  get size(): number {
    let sum = this.#yielding.size
    for (const { size } of this.#classes.values()) sum += size
    return sum
  }

  /** In no particular order. */
  each(look: (item: T) => void): void {
    for (const queue of this.#classes.values()) queue.each(look)
    this.#yielding.each(look)
  }

  /** In no particular order. */
  items(): readonly T[] {
    const all: T[] = []
    this.each(item => all.push(item))
    return all
  }

  /** As they would be served, were it always now and nobody came; who gives way comes last. */
  inOrder(): T[] {
    this.#askAgain()
    const yielding = new RankedQueue<T>(this.#rules)
    this.#yielding.each(item => yielding.push(item))
    const contending: T[] = []
    for (const item of this.#byUrgency()) (this.#yields(item) ? yielding : contending).push(item)
    return [...contending, ...yielding.inOrder()]
  }

  /** Those of all classes: of what is first in each, the most urgent goes first. */
  *#byUrgency(): Iterable<T> {
    const { contest } = this.#rules
    const queues = [...this.#classes.values()].filter(({ size }) => size > 0).map(queue => queue.inOrder())
    const urgencyOf = (item: T | undefined): number =>
      item === undefined || contest === undefined ? Number.NEGATIVE_INFINITY : contest.urgency(item)
    const places = queues.map(items => ({ items, at: 0, urgency: urgencyOf(items[0]) }))
    for (;;) {
      const left = places.filter(({ items, at }) => at < items.length)
      if (left.length === 0) return
      const winner = left.reduce((most, place) => (place.urgency > most.urgency ? place : most))
      yield winner.items[winner.at++]!
      winner.urgency = urgencyOf(winner.items[winner.at])
    }
  }

  push(item: T): void {
    const key = this.#rules.contest?.classOf(item) ?? 0
    let queue = this.#classes.get(key)
    if (queue === undefined) {
      queue = new RankedQueue(this.#rules)
      this.#classes.set(key, queue)
    }
    queue.push(item)
  }

  first(): T | undefined {
    return this.#next()?.first()
  }

  shift(): T | undefined {
    return this.#next()?.shift()
  }

  /**
   * Whether an item that is not among them would be served before all of them, were it put here now or at any time until another
   * comes: where that depends on the time, it would not.
   */
  isLedBy(item: T): boolean {
    if (this.size === 0) return true
    const { contest, yields, mayYield } = this.#rules
    if (this.#yielding.size > 0 || (yields !== undefined && mayYield?.(item) !== false)) return false
    const own = contest?.classOf(item) ?? 0
    for (const [key, queue] of this.#classes) if (queue.size > 0 && (key !== own || !queue.isLedBy(item))) return false
    return true
  }

  /** Take out all that are wanted; the others keep their places. */
  takeOut(wanted: (item: T) => boolean): T[] {
    return this.#queues().flatMap(queue => queue.takeOut(wanted))
  }

  #queues(): RankedQueue<T>[] {
    return [...this.#classes.values(), this.#yielding]
  }

  /** The queue whose first is served next. */
  #next(): RankedQueue<T> | undefined {
    this.#askAgain()
    for (;;) {
      const winner = this.#winner()
      if (winner === undefined) return this.#yielding
      if (!this.#yields(winner.first()!)) return winner
      this.#yielding.push(winner.shift()!)
    }
  }

  #yields(item: T): boolean {
    const { yields, mayYield } = this.#rules
    return yields !== undefined && mayYield?.(item) !== false && yields(item)
  }

  /** Who gives way no longer is in its class again. */
  #askAgain(): void {
    if (this.#yielding.size === 0) return
    for (const item of this.#yielding.takeOut(item => !this.#yields(item))) this.push(item)
  }

  #winner(): RankedQueue<T> | undefined {
    const { contest } = this.#rules
    let winner: RankedQueue<T> | undefined
    let most = Number.NEGATIVE_INFINITY
    for (const queue of this.#classes.values()) {
      const first = queue.first()
      if (first === undefined) continue
      const urgency = contest === undefined ? 0 : contest.urgency(first)
      if (winner === undefined || urgency > most) {
        winner = queue
        most = urgency
      }
    }
    return winner
  }
}
