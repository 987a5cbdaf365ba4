import type { Seconds } from '../core/units.ts'

/** How long a part of the work may still take. */
export interface Allowance {
  mayGoOn(): boolean
  /** Seconds that are left, never below 0. */
  left(): number
}

/** No limit at all. */
export const UNLIMITED: Allowance = { mayGoOn: () => true, left: () => Number.POSITIVE_INFINITY }

/** A time limit, dealt out to the parts of a search, that remembers whether it struck: then another run may end elsewhere. */
export class TimeLimit {
  readonly #start: Seconds
  readonly #now: () => Seconds
  readonly #limit: Seconds
  #struck = false

  constructor(limit: Seconds, now: () => Seconds) {
    this.#limit = limit
    this.#now = now
    this.#start = now()
  }

  /** Whether some part was ended by it. */
  get struck(): boolean {
    return this.#struck
  }

  strike(): void {
    this.#struck = true
  }

  /** The share of the limit that has passed. */
  used(): number {
    return (this.#now() - this.#start) / this.#limit
  }

  /** Until this share of the limit has passed, and so many seconds more. */
  within(share: number, grace = 0): Allowance {
    const left = (): number => Math.max(0, share * this.#limit + grace - (this.#now() - this.#start))
    const mayGoOn = (): boolean => {
      if (left() > 0) return true
      this.#struck = true
      return false
    }
    return { mayGoOn, left }
  }
}
