import type { Dispatch } from './ledger.ts'

/** A datum that went on to another device. @typeParam D how the driver names devices */
export interface Handover<D> extends Dispatch {
  readonly source: string
  readonly home: D
  /** What its home gave along with it, to be given back by whoever speaks of it. */
  readonly token?: Uint8Array
}

/** A window is smaller; what is older than this many later ones has long gone on. */
const REMEMBERED = 512

/**
 * Who took which task from this device, lately. When that device is lost, the sources of these tasks are told at once:
 * the new holder may have died before it could say that it has them.
 */
export class Handovers<D> {
  readonly #byPeer = new Map<D, Handover<D>[]>()

  add(peer: D, handover: Handover<D>): void {
    const list = this.#byPeer.get(peer) ?? []
    list.push(handover)
    if (list.length > REMEMBERED) list.shift()
    this.#byPeer.set(peer, list)
  }

  /** What the lost peer had from here; forgotten after this call. */
  takeAll(peer: D): readonly Handover<D>[] {
    const list = this.#byPeer.get(peer) ?? []
    this.#byPeer.delete(peer)
    return list
  }
}
