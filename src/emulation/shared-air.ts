import type { Clock } from '../core/clock.ts'
import { FairQueue } from '../core/fair-queue.ts'
import { seconds } from '../core/units.ts'

/**
 * A link that asks this soon after its last frame had gone, or after it was told so where that was later, was waiting for that: it is in
 * the choice of who is next, and nobody else is late for it, since what is chosen started when the air became free.
 */
const PROMPT = 0.002
/** Timers of the system wake at once when asked for more than 24 days. */
const LONGEST = 86_400

interface Request {
  readonly takes: number
  readonly askedAt: number
  /** Sending starts after so many seconds; or has, by those that it is below 0. */
  readonly grant: (wait: number) => void
}

/**
 * One server for all links of a shared medium, which share it by equal time while they want it. What is chosen late, since timers are,
 * starts when the air became free all the same.
 */
export class SharedAir {
  readonly #clock: Clock
  readonly #waiting = new FairQueue<Request>()
  /** Requests that wait, by sharer. */
  readonly #counts = new Map<string, number>()
  #last: string | undefined
  #free = 0
  /** When the last grant was told: a short frame had gone by then. */
  #told = 0
  #timer = new AbortController()
  /** Seconds given out so far. */
  busy = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param takes seconds of air  @param grant called once, when it is this one's turn */
  ask(sharer: string, takes: number, grant: (wait: number) => void): void {
    const granted = (wait: number): void => {
      this.#count(sharer, -1)
      this.#last = sharer
      grant(wait)
    }
    this.#count(sharer, 1)
    this.#waiting.push(sharer, takes, { takes, askedAt: this.#clock.now(), grant: granted })
    this.#serve()
  }

  close(): void {
    this.#timer.abort()
  }

  #count(sharer: string, change: number): void {
    const count = (this.#counts.get(sharer) ?? 0) + change
    if (count === 0) this.#counts.delete(sharer)
    else this.#counts.set(sharer, count)
  }

  #serve(): void {
    while (this.#counts.size > 0) {
      const now = this.#clock.now()
      const mayComeAgain = this.#last !== undefined && !this.#counts.has(this.#last)
      const known = Math.max(this.#free, this.#told)
      const chosenAt = mayComeAgain ? known + PROMPT : this.#free
      if (now < chosenAt) {
        this.#serveIn(chosenAt - now)
        return
      }
      const { takes, askedAt, grant } = this.#waiting.pop()!
      const starts = this.#free > 0 && askedAt - known < PROMPT ? this.#free : askedAt
      this.#free = starts + takes
      this.#told = now
      this.busy += takes
      grant(starts - now)
    }
  }

  #serveIn(wait: number): void {
    this.#timer.abort()
    this.#timer = new AbortController()
    const { signal } = this.#timer
    const until = seconds(Math.min(LONGEST, wait))
    this.#clock.sleep(until, { signal }).then(
      () => this.#serve(),
      () => {}
    )
  }
}
