import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

export interface OrphanWatchParts {
  readonly now: () => Seconds
  readonly world: World
  /** Forget the data of a device's sources, by its number in the world. */
  readonly drop: (home: number) => void
}

/** Data of a source whose device has been gone for so long are not kept for it. */
const ORPHANED: Seconds = seconds(60)

/** A source that comes back sends its data out again; what is left of them elsewhere would wait for ever if it does not. */
export class OrphanWatch {
  readonly #parts: OrphanWatchParts
  /** Those that are gone, by number in the world; looked at again after a while. */
  readonly #goneSince = new Map<number, Seconds>()
  /** Of the world when it was last looked who is there. */
  #reach = -1

  constructor(parts: OrphanWatchParts) {
    this.#parts = parts
  }

  /** Called often. */
  tick(): void {
    const now = this.#parts.now()
    this.#lookWhoIsThere(now)
    for (const [n, since] of this.#goneSince) {
      if (now - since < ORPHANED) continue
      this.#parts.drop(n)
      this.#goneSince.set(n, now)
    }
  }

  /** Only where somebody may have come or gone: in simulated time every device asks often. */
  #lookWhoIsThere(now: Seconds): void {
    const { devices, reach } = this.#parts.world
    if (reach === this.#reach) return
    this.#reach = reach
    for (const [n, { up }] of devices.entries()) {
      if (up) this.#goneSince.delete(n)
      else if (!this.#goneSince.has(n)) this.#goneSince.set(n, now)
    }
  }
}
