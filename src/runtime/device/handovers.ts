import type { DeviceId } from '../../core/ids.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import type { DatumRef } from './source-port.ts'

export interface Handover extends DatumRef {
  readonly home: DeviceId
}

/** A window is smaller; what is older than this many later ones has long gone on. */
const REMEMBERED = 512

/**
 * Who took which task from this device, lately. When that device is lost, the sources of these tasks are told at once:
 * the new holder may have died before it could say that it has them.
 */
export class Handovers {
  readonly #byPeer = new Map<DeviceId, Handover[]>()

  add(peer: DeviceId, { source, datum, attempt, homeId }: DeviceTask): void {
    const list = this.#byPeer.get(peer) ?? []
    list.push({ source, datum, attempt, home: homeId })
    if (list.length > REMEMBERED) list.shift()
    this.#byPeer.set(peer, list)
  }

  /** What the lost peer had from here; forgotten after this call. */
  takeAll(peer: DeviceId): readonly Handover[] {
    const list = this.#byPeer.get(peer) ?? []
    this.#byPeer.delete(peer)
    return list
  }
}
