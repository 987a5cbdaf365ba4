import type { Seconds } from '../core/units.ts'
import { PagedNumbers } from './paged-numbers.ts'

/**
 * The virtual queue of every resource: work committed to it, in seconds, drained at rate 1 whether or not the work has
 * arrived there yet. Drained when looked at, so that idle resources cost nothing. Where a resource has become slower, what is
 * left there takes as many times as long.
 */
export class VirtualQueues {
  readonly #dearness: (resource: number) => number
  readonly #length = new PagedNumbers()
  readonly #asOf = new PagedNumbers()
  /** The dearness that the length is in seconds of; 0 where nothing was ever committed. */
  readonly #scale = new PagedNumbers()

  /** @param dearness what the same use of a resource takes now, to what it once took */
  constructor(dearness: (resource: number) => number = () => 1) {
    this.#dearness = dearness
  }

  /** Seconds of committed work left at `now`. */
  at(resource: number, now: Seconds): number {
    const scale = this.#scale.at(resource)
    if (scale === 0) return 0
    const left = Math.max(0, this.#length.at(resource) - (now - this.#asOf.at(resource)))
    const dearness = this.#dearness(resource)
    if (dearness === scale) return left
    const grown = (left * dearness) / scale
    this.#put(resource, grown, now)
    return grown
  }

  commit(resource: number, work: number, now: Seconds): void {
    this.#put(resource, Math.max(0, this.at(resource, now) + work), now)
  }

  /** What really waits there is more than what was thought: blocks took longer than believed, or somebody has not told. */
  atLeast(resource: number, work: number, now: Seconds): void {
    if (work > this.at(resource, now)) this.commit(resource, work - this.at(resource, now), now)
  }

  /** Whatever was committed: so much is. */
  set(resource: number, work: number, now: Seconds): void {
    this.#put(resource, work, now)
  }

  #put(resource: number, length: number, now: Seconds): void {
    this.#length.set(resource, length)
    this.#asOf.set(resource, now)
    this.#scale.set(resource, this.#dearness(resource))
  }
}
