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
  /** By number in the world; looked at again after a while. */
  readonly #goneSince = new Map<number, Seconds>()

  constructor(parts: OrphanWatchParts) {
    this.#parts = parts
  }

  /** Called often. */
  tick(): void {
    const { world, drop } = this.#parts
    const now = this.#parts.now()
    for (const [n, { up }] of world.devices.entries()) {
      const since = this.#goneSince.get(n) ?? now
      if (up) this.#goneSince.delete(n)
      else if (now - since < ORPHANED) this.#goneSince.set(n, since)
      else {
        drop(n)
        this.#goneSince.set(n, now)
      }
    }
  }
}
