import type { DeviceId } from '../core/ids.ts'
import { BoundedMap } from '../runtime/network/bounded-map.ts'
import type { KnownPeer } from '../runtime/state/peers-file.ts'

/** Names that are kept: of those that were heard last. */
const MOST = 1024

/** What devices call themselves: as they said last, in this life or an earlier one. Written by whoever hears them. */
export class PeerNames {
  readonly #heard = new BoundedMap<DeviceId, string>(MOST)
  readonly #recalled = new BoundedMap<DeviceId, string>(MOST)

  recall(peers: readonly KnownPeer[]): void {
    for (const { id, name } of peers) this.#recalled.set(id, name)
  }

  heard(peer: DeviceId, name: string): void {
    this.#heard.set(peer, name)
  }

  /** As it said in this life of ours; undefined before it has. */
  said(peer: DeviceId): string | undefined {
    return this.#heard.get(peer)
  }

  /** '' where it has never said it. */
  of(peer: DeviceId): string {
    return this.#heard.get(peer) ?? this.#recalled.get(peer) ?? ''
  }
}
