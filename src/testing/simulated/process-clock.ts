import type { Clock } from '../../core/clock.ts'
import type { Seconds } from '../../core/units.ts'
import type { EventClock } from './event-clock.ts'

/**
 * The clock of one simulated process, and everything else that calls into it. One that hangs (stopped, or its event loop
 * blocked) is called again when it goes on, in the order in which it would have been; one that was killed never.
 */
export class ProcessClock implements Clock {
  readonly #world: EventClock
  readonly #lateness: () => number
  #state: 'running' | 'hung' | 'dead' = 'running'
  #missed: (() => void)[] = []

  /** @param lateness by how much each of its timers is late, in seconds */
  constructor(world: EventClock, lateness: () => number = () => 0) {
    this.#world = world
    this.#lateness = lateness
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  now(): Seconds {
    return this.#world.now()
  }

  sleep(duration: Seconds, options?: { readonly signal?: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      const signal = options?.signal
      if (signal?.aborted) return reject(signal.reason)
      if (duration === Number.POSITIVE_INFINITY && signal === undefined) return
      let isOver = false
      const abort = (): void => {
        isOver = true
        event.isCancelled = true
        reject(signal?.reason)
      }
      const event = this.at(this.#world.now() + Math.max(0, duration) + this.#lateness(), () => {
        if (isOver) return // aborted while the process hung
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Call into the process at an instant. */
  at(instant: number, fire: () => void) {
    return this.#world.at(instant, () => this.call(fire))
  }

  after(duration: number, fire: () => void) {
    return this.at(this.#world.now() + duration, fire)
  }

  /** Now, or when it goes on. */
  call(fire: () => void): void {
    if (this.#state === 'running') fire()
    else if (this.#state === 'hung') this.#missed.push(fire)
  }

  hang(): void {
    if (this.#state === 'running') this.#state = 'hung'
  }

  /** What it missed happens one after the other, each in an event of its own. */
  goOn(): void {
    if (this.#state !== 'hung') return
    this.#state = 'running'
    const missed = this.#missed
    this.#missed = []
    for (const fire of missed) this.#world.after(0, () => this.call(fire))
  }

  kill(): void {
    this.#state = 'dead'
    this.#missed = []
  }
}
