import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** One that is left out tries again and again; of one that has not for so long nothing is said any more. */
const MEMORY: Seconds = seconds(300)

/** Devices of which two processes have one identity, while that lasts. */
export class TwinWatch {
  readonly #seen = new Map<DeviceId, { readonly words: string; readonly at: Seconds }>()

  /** @param words what to tell people of it */
  seen(peer: DeviceId, words: string, now: Seconds): void {
    this.#seen.set(peer, { words, at: now })
  }

  /** In words. */
  troubles(now: Seconds): string[] {
    for (const [peer, { at }] of this.#seen) if (now - at > MEMORY) this.#seen.delete(peer)
    return [...this.#seen.values()].map(({ words }) => words)
  }
}
