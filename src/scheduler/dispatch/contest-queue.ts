import { RankedQueue, type Ranking } from './ranked-queue.ts'

/** The ranking orders the items of one class. */
export interface ContestRules<T> extends Ranking<T> {
  /**
   * Between classes: the first of each contends, the most urgent is served. It may change with time, as `rank` may not.
   * Absent: one class for all.
   */
  readonly contest?: { readonly classOf: (item: T) => number; readonly urgency: (item: T) => number } | undefined
}

/** Waiting items of several classes, each in its own order. There are few classes: sources have few weights. */
export class ContestQueue<T> {
  readonly #rules: ContestRules<T>
  readonly #classes = new Map<number, RankedQueue<T>>()

  constructor(rules: ContestRules<T>) {
    this.#rules = rules
  }

  get size(): number {
    let sum = 0
    for (const { size } of this.#classes.values()) sum += size
    return sum
  }

  /** In no particular order. */
  *items(): Iterable<T> {
    for (const queue of this.#classes.values()) yield* queue.items()
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
    return this.#winner()?.first()
  }

  shift(): T | undefined {
    return this.#winner()?.shift()
  }

  /** Take out all that are wanted; the others keep their places. */
  takeOut(wanted: (item: T) => boolean): T[] {
    return [...this.#classes.values()].flatMap(queue => queue.takeOut(wanted))
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
