import { CostHeap } from './cost-heap.ts'

/**
 * Who is next at a server that several share: all get the same time of it while they want it, however short or long
 * their jobs are. Of one sharer, first in, first out.
 *
 *   start = max(virtual time, finish of the sharer)   finish = start + takes   virtual time = start of the job in service
 *
 * The least start is next, ties in order of arrival. Start-time fair queueing (Goyal, Vin, Cheng 1996).
 */
export class FairQueue<Job> {
  readonly #starts = new CostHeap()
  readonly #waiting = new Map<number, { readonly job: Job; readonly start: number }>()
  /** Of those that may still owe their time; others begin at the virtual time. */
  readonly #finishes = new Map<number | string, number>()
  #virtualTime = 0
  #next = 0

  /** A job of one sharer, that takes so many seconds. */
  push(sharer: number | string, takes: number, job: Job): void {
    const start = Math.max(this.#virtualTime, this.#finishes.get(sharer) ?? 0)
    this.#finishes.set(sharer, start + takes)
    this.#starts.push(start, this.#next)
    this.#waiting.set(this.#next++, { job, start })
  }

  /** As `push`, then `pop`, where nobody waits. */
  pass(sharer: number | string, takes: number): void {
    const start = Math.max(this.#virtualTime, this.#finishes.get(sharer) ?? 0)
    this.#finishes.set(sharer, start + takes)
    this.#virtualTime = start
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Take the next one. @returns undefined when nobody waits */
  pop(): Job | undefined {
    const number = this.#starts.pop()
    const next = this.#waiting.get(number)
    if (next === undefined) return undefined
    this.#waiting.delete(number)
    this.#virtualTime = next.start
    return next.job
  }
}
