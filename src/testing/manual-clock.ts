import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'

/**
 * A clock whose time the test moves. Sleepers wake in the order of their wake-up times, each with its own turn of the
 * microtask queue, so that what one does is done before the next wakes.
 */
export class ManualClock implements Clock {
  #now = 0
  #seq = 0
  #sleepers: { readonly at: number; readonly seq: number; readonly wake: () => void }[] = []

  now(): Seconds {
    return seconds(this.#now)
  }

  sleep(duration: Seconds, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const entry = { at: this.#now + duration, seq: this.#seq++, wake: resolve }
      this.#sleepers.push(entry)
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter(sleeper => sleeper !== entry)
          reject(signal.reason)
        },
        { once: true }
      )
    })
  }

  /** Let `duration` pass. Resolves when everybody who woke has had their turn. */
  async advance(duration: number): Promise<void> {
    const until = this.#now + duration
    await settle()
    for (let next = this.#earliest(until); next !== undefined; next = this.#earliest(until)) {
      this.#sleepers = this.#sleepers.filter(sleeper => sleeper !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await settle()
    }
    this.#now = until
  }

  get sleeping(): number {
    return this.#sleepers.length
  }

  #earliest(until: number) {
    const due = this.#sleepers.filter(sleeper => sleeper.at <= until)
    return due.sort((a, b) => a.at - b.at || a.seq - b.seq)[0]
  }
}

/** Promises that are ready run their continuations; a macrotask comes after all microtasks. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
