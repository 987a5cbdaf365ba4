import type { Seconds } from '../core/units.ts'

interface Balance {
  work: number
  at: Seconds
}

/** Of the work that somebody has taken back beyond what it told, so much a second is forgiven. */
const FORGIVEN = 0.1

/**
 * What each other device has told that it committed to resources, and is left of that: seconds of work, which drain at rate 1. No
 * device is believed more than a bound of any resource, however often it tells, nor that it takes back more than that beyond what it told.
 */
export class ToldWork {
  /** By who told it, and by resource. */
  readonly #told = new Map<number, Map<number, Balance>>()

  /** @param work seconds, less than 0 where it is taken back @param bound in seconds @returns what of it is believed */
  credible(by: number, resource: number, work: number, bound: number, now: Seconds): number {
    const told = this.#told.get(by) ?? new Map<number, Balance>()
    this.#told.set(by, told)
    const before = leftOf(told.get(resource), now)
    const after = Math.max(-bound, Math.min(bound, before + work))
    told.set(resource, { work: after, at: now })
    // Where the bound has shrunk, nothing is taken back for that.
    return work > 0 ? Math.max(0, after - before) : Math.min(0, after - before)
  }

  /** It is gone, and its data with it. @returns what is left of what it told, in seconds by resource */
  forget(by: number, now: Seconds): ReadonlyMap<number, number> {
    const told = this.#told.get(by) ?? new Map<number, Balance>()
    this.#told.delete(by)
    return new Map([...told].map(([resource, balance]) => [resource, Math.max(0, leftOf(balance, now))]))
  }
}

const leftOf = (balance: Balance | undefined, now: Seconds): number => {
  if (balance === undefined) return 0
  const { work, at } = balance
  const passed = Math.max(0, now - at)
  return work > 0 ? Math.max(0, work - passed) : Math.min(0, work + FORGIVEN * passed)
}
