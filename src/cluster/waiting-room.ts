import type { AdmissionTerms } from '../core/admission-terms.ts'
import type { DropReason } from '../core/drop-reason.ts'
import { InvariantError } from '../core/invariant-error.ts'
import { type Seconds, seconds } from '../core/units.ts'

export interface Dropped<T> {
  readonly datum: T
  readonly reason: DropReason
}

interface Waiting<T> {
  readonly datum: T
  readonly since: Seconds
}

/**
 * Data that have come and are not admitted yet, at most `queue` of them: first in, first out, but that what cannot be done by its
 * deadline any more lets those go first that can. The rule by which some are dropped, for running sources and simulated
 * ones alike. Pure: told what time it is.
 */
export class WaitingRoom<T> {
  readonly #terms: AdmissionTerms
  #waiting: Waiting<T>[] = []
  /** When the rate permits the next. */
  #permittedAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(terms: AdmissionTerms) {
    this.#terms = terms
  }

  get size(): number {
    return this.#waiting.length
  }

  /** With `drop: none`, whoever brings data waits while it is; else `offer` makes room. */
  get isFull(): boolean {
    return this.size >= this.#terms.queue
  }

  /** By when a datum that was there at `since` has to be begun. */
  latest(since: Seconds): Seconds {
    return seconds(since + this.#terms.deadline)
  }

  /**
   * It has come.
   * @param since not before that of any that came earlier
   * @returns what is dropped for it: another, itself, or nothing
   * @throws InvariantError when it is full and nothing may be dropped
   */
  offer(datum: T, since: Seconds): Dropped<T> | undefined {
    const { drop } = this.#terms
    if (this.isFull && drop === 'none') throw new InvariantError(`the queue of ${this.#terms.queue} is full`)
    if (this.isFull && drop === 'newest') return { datum, reason: 'queueFull' }
    const oldest = this.isFull ? this.#waiting.shift() : undefined
    this.#waiting.push({ datum, since })
    return oldest && { datum: oldest.datum, reason: 'queueFull' }
  }

  /** @returns what waits no longer, since its deadline is over */
  expire(now: Seconds): readonly Dropped<T>[] {
    const inTime = this.#waiting.findIndex(({ since }) => this.latest(since) > now)
    const over = this.#waiting.splice(0, inTime < 0 ? this.size : inTime)
    return over.map(({ datum }) => ({ datum, reason: 'deadline' }))
  }

  /** When something is to be done by itself: the first deadline; infinite where there is none. */
  get expiresAt(): Seconds {
    return this.latest(this.#waiting[0]?.since ?? seconds(Number.POSITIVE_INFINITY))
  }

  /** When `take` gives the next one, as far as the rate is concerned. */
  get permittedAt(): Seconds {
    return this.#permittedAt
  }

  /**
   * After `expire`.
   * @param takes what a datum that begins now is expected to take
   * @returns the one whose turn it is; undefined where none waits, or the rate permits none now
   */
  take(now: Seconds, takes: Seconds = seconds(0)): { readonly datum: T; readonly since: Seconds } | undefined {
    if (now < this.#permittedAt) return undefined
    const inTime = this.#waiting.findIndex(({ since }) => now + takes <= this.latest(since))
    const [next] = this.#waiting.splice(inTime, 1) // -1: none is expected to make it, the last has most time left
    if (next === undefined) return undefined
    const interval = 1 / this.#terms.rate
    // One that is taken a little late takes nothing of the rate: the one behind it may follow sooner.
    const isLittleLate = now < this.#permittedAt + interval
    this.#permittedAt = seconds((isLittleLate ? this.#permittedAt : now) + interval)
    return next
  }

  /** Everything that waits goes. */
  clear(): readonly T[] {
    return this.#waiting.splice(0).map(({ datum }) => datum)
  }
}
