import type { DeviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterView } from './cluster-view.ts'

/** A plan that was made with what a device said before is right for so long. */
const HOLDS: Seconds = seconds(10)

/**
 * The most memory that devices have said of late that they have for blocks: whoever takes back what it said does not thereby make
 * wrong what others have planned with.
 */
export class RecentRoom {
  readonly #view: ClusterView
  readonly #now: () => Seconds
  readonly #said = new Map<DeviceId, { readonly room: number; readonly before: number; readonly since: Seconds }>()

  constructor(view: ClusterView, now: () => Seconds) {
    this.#view = view
    this.#now = now
  }

  /** Called often. */
  tick(): void {
    for (const { device, memory } of this.#view.members()) {
      const id = device as DeviceId
      const room = roomOf(memory)
      const known = this.#said.get(id)
      if (known?.room === room) continue
      this.#said.set(id, { room, before: Math.max(room, this.of(id)), since: this.#now() })
    }
    for (const id of this.#said.keys()) if (!this.#view.isUp(id)) this.#said.delete(id)
  }

  /** Bytes; Infinity where nothing is known of it. */
  of(device: DeviceId): number {
    const known = this.#said.get(device)
    if (known === undefined) return roomOf(this.#view.state(device)?.memory)
    return this.#now() - known.since < HOLDS ? known.before : known.room
  }
}

const roomOf = (memory: bigint | undefined): number =>
  memory === undefined ? Number.POSITIVE_INFINITY : Number(memory)
