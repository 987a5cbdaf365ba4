import { FairTurns, HEAVY } from './fair-turns.ts'
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
  /**
   * Whose it is, in one way or several: nobody has all turns while others wait who has very many here, or whose class, a weight, is
   * far above theirs. Absent: nobody asks.
   */
  readonly partiesOf?: ((item: T) => readonly unknown[]) | undefined
}

/** Waiting items of several classes, each in its own order. There are few classes: sources have few weights. */
export class ContestQueue<T> {
  readonly #rules: ContestRules<T>
  readonly #classes = new Map<number, RankedQueue<T>>()
  /** Whose turn had come, and who gave way. */
  readonly #yielding: RankedQueue<T>
  readonly #turns: FairTurns<T> | undefined

  constructor(rules: ContestRules<T>) {
    this.#rules = rules
    this.#yielding = new RankedQueue(rules)
    this.#turns = rules.partiesOf === undefined ? undefined : new FairTurns(rules.partiesOf)
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
    this.#turns?.came(item)
    this.#enter(item)
  }

  #enter(item: T): void {
    const key = this.#classOf(item)
    let queue = this.#classes.get(key)
    if (queue === undefined) {
      // Whoever weighs its data differently each time makes no others slower.
      for (const [other, { size }] of this.#classes) if (size === 0) this.#classes.delete(other)
      queue = new RankedQueue(this.#rules)
      this.#classes.set(key, queue)
    }
    queue.push(item)
  }

  first(): T | undefined {
    const first = this.#next()?.first()
    return first === undefined ? undefined : (this.#insteadOf(first) ?? first)
  }

  shift(): T | undefined {
    const queue = this.#next()
    const turns = this.#turns
    if (turns === undefined || this.size === 0) return queue?.shift()
    const first = queue!.first()!
    const other = this.#insteadOf(first)
    turns.served(other ?? first)
    if (other !== undefined) return this.takeOut(item => item === other)[0]
    turns.left(first)
    return queue!.shift()
  }

  /** The first of others that weigh little, or of all others beside who has very many: where they have had no turn for long. */
  #insteadOf(first: T): T | undefined {
    const turns = this.#turns
    const isOther = turns?.instead(first)
    if (turns === undefined || isOther === undefined) return undefined
    if (turns.isOneOfMany(first)) return this.inOrder().find(isOther)
    if (!this.#isHeavy(first)) return undefined
    return this.inOrder().find(item => isOther(item) && this.#classOf(first) > HEAVY * this.#classOf(item))
  }

  #isHeavy(item: T): boolean {
    for (const [weight, { size }] of this.#classes) if (size > 0 && this.#classOf(item) > HEAVY * weight) return true
    return false
  }

  #classOf(item: T): number {
    return this.#rules.contest?.classOf(item) ?? 0
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
    const out = this.#queues().flatMap(queue => queue.takeOut(wanted))
    for (const item of out) this.#turns?.left(item)
    return out
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
    for (const item of this.#yielding.takeOut(item => !this.#yields(item))) this.#enter(item)
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
