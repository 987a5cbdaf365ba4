import { type Seconds, seconds } from '../core/units.ts'
import type { EventQueue } from './event-queue.ts'

/** Something that serves one job at a time, first in, first out: a link, or a medium that several links share. */
export class ResourceServer {
  readonly #events: EventQueue
  readonly #waiting: { readonly takes: number; readonly done: () => void }[] = []
  #head = 0
  #free = true
  #busy = 0

  constructor(events: EventQueue) {
    this.#events = events
  }

  /** Seconds spent serving so far. */
  get busy(): Seconds {
    return seconds(this.#busy)
  }

  serve(takes: number, done: () => void): void {
    if (this.#free) this.#start(takes, done)
    else this.#waiting.push({ takes, done })
  }

  #start(takes: number, done: () => void): void {
    this.#free = false
    this.#events.schedule(takes, () => {
      this.#busy += takes
      this.#free = true
      this.#next()
      done()
    })
  }

  #next(): void {
    const job = this.#waiting[this.#head]
    if (job === undefined) return
    this.#head++
    if (this.#head > 64 && 2 * this.#head > this.#waiting.length) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }
    this.#start(job.takes, job.done)
  }
}
