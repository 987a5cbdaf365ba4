import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Attempt, AttemptTokens } from '../dispatch/attempt-tokens.ts'
import type { LogLevel } from './log-level.ts'

export interface DatumDoorParts {
  readonly clock: Clock
  readonly tokens: AttemptTokens
  readonly nameOf: (device: DeviceId) => string
  readonly say: (text: string, level?: LogLevel) => void
}

/** Before the same device is spoken of again. */
const SAY_AGAIN: Seconds = seconds(60)
/** Devices of which it is remembered that they were spoken of. */
const MOST = 1000

/** Of what others say about data of sources here, only that counts which comes from whoever was given the datum. */
export class DatumDoor {
  readonly #parts: DatumDoorParts
  readonly #saidAt = new Map<DeviceId, Seconds>()
  #turnedAway = 0

  constructor(parts: DatumDoorParts) {
    this.#parts = parts
  }

  /** Messages that did not count, since the start. */
  get turnedAway(): number {
    return this.#turnedAway
  }

  /** @param what it says, in a word or two: for the log */
  lets(from: DeviceId, attempt: Attempt, token: Uint8Array, what: string): boolean {
    if (this.#parts.tokens.isOf(attempt, token)) return true
    this.#turnedAway++
    this.#complain(from, `${what} of datum ${attempt.datum} of ${attempt.source}`)
    return false
  }

  #complain(from: DeviceId, what: string): void {
    const now = this.#parts.clock.now()
    if (now - (this.#saidAt.get(from) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN) return
    if (this.#saidAt.size >= MOST) this.#saidAt.clear()
    this.#saidAt.set(from, now)
    const { say, nameOf } = this.#parts
    say(`${nameOf(from)} sent ${what}, which it was not given since this device started: not believed`, 'warn')
  }
}
