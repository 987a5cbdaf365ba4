import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'

export interface GoneWatchParts {
  readonly clock: Clock
  readonly world: World
  /** So long after it was lost. @default 24 h */
  readonly after?: Seconds | undefined
  /** It came for one job, and is gone for good soon after it left. @default nobody did */
  readonly isGuest?: (device: DeviceId) => boolean
  /** Nothing of it is kept any more. */
  readonly gone: (device: DeviceId) => void
}

/** Longer than a night: who is off until the morning is known when it comes back. */
const GONE: Seconds = seconds(24 * 3600)
/** What others still compute for a guest has ended by then. */
const GUEST_GONE: Seconds = seconds(60)
/** Looks per that time. */
const LOOKS = 1000

/** A device that has been away for a day is gone for good, as far as anybody can tell; should it come back, it is a new one. */
export class GoneWatch {
  readonly #parts: GoneWatchParts
  readonly #awaySince = new Map<DeviceId, Seconds>()
  #lookAt: Seconds = seconds(0)

  constructor(parts: GoneWatchParts) {
    this.#parts = parts
  }

  tick(): void {
    const { clock, world, after = GONE, gone, isGuest = () => false } = this.#parts
    const now = clock.now()
    if (now < this.#lookAt) return
    this.#lookAt = seconds(now + after / LOOKS)
    for (const { id, up } of world.known()) {
      const since = this.#awaySince.get(id) ?? now
      const stays = isGuest(id) ? Math.min(GUEST_GONE, after) : after
      if (!up && now - since < stays) this.#awaySince.set(id, since)
      else {
        this.#awaySince.delete(id)
        if (!up) gone(id)
      }
    }
  }
}
