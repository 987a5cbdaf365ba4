import { FairQueue } from '../core/fair-queue.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { EventQueue } from './event-queue.ts'

interface Job {
  readonly takes: number
  readonly done: () => void
}

/** A link, or a medium that several links share: it serves one job at a time, and those who share it by equal time. */
export class ResourceServer {
  readonly #events: EventQueue
  readonly #waiting = new FairQueue<Job>()
  #free = true
  #busy = 0

  constructor(events: EventQueue) {
    this.#events = events
  }

  /** Seconds spent serving so far. */
  get busy(): Seconds {
    return seconds(this.#busy)
  }

  /** `done` when a job of `sharer` has been served for so many seconds. */
  serve(sharer: number, takes: number, done: () => void): void {
    if (this.#free) {
      this.#waiting.pass(sharer, takes)
      this.#begin(takes, done)
    } else this.#waiting.push(sharer, takes, { takes, done })
  }

  #next(): void {
    const job = this.#waiting.isEmpty ? undefined : this.#waiting.pop()
    if (job === undefined) this.#free = true
    else this.#begin(job.takes, job.done)
  }

  #begin(takes: number, done: () => void): void {
    this.#free = false
    this.#events.schedule(takes, () => {
      this.#busy += takes
      done() // who was served may want more: that is in the choice of the next
      this.#next()
    })
  }
}
