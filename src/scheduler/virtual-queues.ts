import type { Seconds } from '../core/units.ts'

/**
 * The virtual queue of every resource: work committed to it, in seconds, drained at rate 1 whether or not the work has
 * arrived there yet. Drained when looked at, so that idle resources cost nothing.
 */
export class VirtualQueues {
  #length = new Float64Array(16)
  #asOf = new Float64Array(16)

  /** Seconds of committed work left at `now`. */
  at(resource: number, now: Seconds): number {
    if (resource >= this.#length.length) return 0
    return Math.max(0, this.#length[resource]! - (now - this.#asOf[resource]!))
  }

  commit(resource: number, work: number, now: Seconds): void {
    if (resource >= this.#length.length) this.#grow(resource)
    this.#length[resource] = this.at(resource, now) + work
    this.#asOf[resource] = now
  }

  /** What really waits there is more than what was thought: blocks took longer than believed, or somebody has not told. */
  atLeast(resource: number, work: number, now: Seconds): void {
    if (work > this.at(resource, now)) this.commit(resource, work - this.at(resource, now), now)
  }

  /** Whatever was committed: so much waits there now. */
  set(resource: number, work: number, now: Seconds): void {
    this.commit(resource, work - this.at(resource, now), now)
  }

  #grow(resource: number): void {
    const size = Math.max(resource + 1, 2 * this.#length.length)
    const copy = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(size)
      to.set(from)
      return to
    }
    this.#length = copy(this.#length)
    this.#asOf = copy(this.#asOf)
  }
}
