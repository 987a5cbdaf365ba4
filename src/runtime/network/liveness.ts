import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { AwakeTime } from './awake-time.ts'

export interface LivenessParts {
  readonly clock: Clock
  /** A peer that is not heard for so long is taken for gone. */
  readonly suspectAfter: Seconds
  readonly onSilent: (peer: DeviceId, silence: Seconds) => void
  /** It was taken for gone, and speaks. */
  readonly onBack: (peer: DeviceId) => void
  /** It has been silent so long that its connections will not come back. */
  readonly onDead: (peer: DeviceId) => void
}

/** Looks per `suspectAfter`. */
const LOOKS = 12
/** A silent peer's connections are kept for so many times `suspectAfter`: it may only have been stopped. */
const PATIENCE = 20

interface Ear {
  heard: Seconds
  silent: boolean
}

/** Who speaks and who is silent, measured against the time during which we ourselves were awake to hear. */
export class Liveness {
  readonly interval: Seconds
  readonly #parts: LivenessParts
  readonly #awake: AwakeTime
  readonly #ears = new Map<DeviceId, Ear>()

  constructor(parts: LivenessParts) {
    this.#parts = parts
    this.interval = seconds(parts.suspectAfter / LOOKS)
    this.#awake = new AwakeTime(parts.clock, seconds(2 * this.interval))
  }

  add(peer: DeviceId): void {
    this.#ears.set(peer, { heard: this.#awake.now(), silent: false })
  }

  /** @returns whether it was silent */
  remove(peer: DeviceId): boolean {
    const silent = this.isSilent(peer)
    this.#ears.delete(peer)
    return silent
  }

  isSilent(peer: DeviceId): boolean {
    return this.#ears.get(peer)?.silent ?? false
  }

  heard(peer: DeviceId): void {
    const ear = this.#ears.get(peer)
    if (ear === undefined) return
    ear.heard = this.#awake.now()
    if (!ear.silent) return
    ear.silent = false
    this.#parts.onBack(peer)
  }

  /** To be called every `interval`. */
  look(): void {
    const now = this.#awake.now()
    const { suspectAfter, onSilent, onDead } = this.#parts
    for (const [peer, ear] of [...this.#ears]) {
      const silence = seconds(now - ear.heard)
      if (!ear.silent && silence > suspectAfter) {
        ear.silent = true
        onSilent(peer, silence)
      } else if (ear.silent && silence > suspectAfter * PATIENCE) {
        onDead(peer)
      }
    }
  }
}
