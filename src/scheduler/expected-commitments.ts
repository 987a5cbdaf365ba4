import type { Seconds } from '../core/units.ts'
import { PagedNumbers } from './paged-numbers.ts'

/** Intervals between reports that rates are averaged over. */
const MEMORY = 10
/** Seconds per second that are not worth keeping. */
const NEGLIGIBLE = 1e-6

interface Other {
  /** Seconds per second, by resource. */
  readonly rates: Map<number, number>
  /** Up to when it has told what it committed. */
  since: number
}

const NOTHING: ReadonlyMap<number, number> = new Map()

/**
 * What other devices are expected to have committed to resources since they last told: as much a second as before. Reports
 * come at intervals; sources that know nothing of each other in between all find the same queue too short, choose it
 * together, and together avoid it after the next report.
 *
 * Of each resource the sums over all devices are kept, of rates and of rates times instants, so that a look costs the same
 * for any number of devices.
 */
export class ExpectedCommitments {
  readonly #others = new Map<number, Other>()
  /** Between reports, as this device makes its own. */
  #interval = 0
  #reportedAt: number | undefined
  readonly #rate = new PagedNumbers()
  /** What is expected at `now` is rate * now - offset. */
  readonly #offset = new PagedNumbers()

  /** Seconds of work on the resource that others are expected to have committed and not to have told yet. */
  at(resource: number, now: Seconds): number {
    const rate = this.#rate.at(resource)
    return rate <= NEGLIGIBLE ? 0 : Math.max(0, rate * now - this.#offset.at(resource))
  }

  /** A report came. @param committed seconds by resource, since the report before; less than 0 where taken back */
  heard(from: number, committed: ReadonlyMap<number, number>, now: Seconds): void {
    const other = this.#others.get(from)
    if (other === undefined) this.#others.set(from, { rates: new Map(), since: now })
    else this.#learn(other, committed, now)
  }

  /**
   * This device makes its own report; the others do as often. Who has something to tell does so each time: who told nothing
   * since the last time has committed nothing.
   */
  reported(now: Seconds): void {
    this.#interval = now - (this.#reportedAt ?? now)
    this.#reportedAt = now
    for (const other of this.#others.values()) if (now - other.since > this.#interval) this.#learn(other, NOTHING, now)
  }

  #learn(other: Other, committed: ReadonlyMap<number, number>, now: Seconds): void {
    const span = now - other.since
    if (span <= 0 || this.#interval === 0) return
    this.#count(other, -1)
    const share = 1 - Math.exp(-span / (MEMORY * this.#interval))
    for (const resource of new Set([...other.rates.keys(), ...committed.keys()])) {
      const before = other.rates.get(resource) ?? 0
      const rate = before + share * (Math.max(0, committed.get(resource) ?? 0) / span - before)
      if (rate > NEGLIGIBLE) other.rates.set(resource, rate)
      else other.rates.delete(resource)
    }
    other.since = now
    this.#count(other, 1)
  }

  #count({ rates, since }: Other, sign: 1 | -1): void {
    for (const [resource, rate] of rates) this.#add(resource, sign * rate, since)
  }

  #add(resource: number, rate: number, since: number): void {
    this.#rate.set(resource, this.#rate.at(resource) + rate)
    this.#offset.set(resource, this.#offset.at(resource) + rate * since)
  }
}
