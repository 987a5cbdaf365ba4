import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'

export interface RestingClockParts {
  readonly clock: Clock
  /** Whether nothing happens just now. */
  readonly rests: () => boolean
  /** Between two instants at which whoever rests wakes up, all of them together. */
  readonly every: Seconds
}

/**
 * For what a device does again and again: where nothing happens a sleep lasts longer than was asked for, until an instant at
 * which others wake too, for each waking costs as much as what is done then. Who has news wakes all, none of them
 * before the time it asked for.
 */
export class RestingClock implements Clock {
  readonly #parts: RestingClockParts
  readonly #resting = new Set<AbortController>()

  constructor(parts: RestingClockParts) {
    this.#parts = parts
  }

  now(): Seconds {
    return this.#parts.clock.now()
  }

  async sleep(duration: Seconds, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { clock, rests, every } = this.#parts
    const asked = clock.now() + duration
    if (rests()) await this.#rest(seconds(Math.ceil(asked / every) * every - clock.now()), signal)
    const left = seconds(asked - clock.now())
    if (left > 0) await clock.sleep(left, signal === undefined ? {} : { signal })
  }

  wake(): void {
    for (const rest of this.#resting) rest.abort()
  }

  /** Until it is woken, or so long. */
  async #rest(duration: Seconds, signal: AbortSignal | undefined): Promise<void> {
    const rest = new AbortController()
    this.#resting.add(rest)
    const either = signal === undefined ? rest.signal : AbortSignal.any([rest.signal, signal])
    try {
      await this.#parts.clock.sleep(duration, { signal: either })
    } catch (error) {
      signal?.throwIfAborted()
      if (!rest.signal.aborted) throw error
    } finally {
      this.#resting.delete(rest)
    }
  }
}
