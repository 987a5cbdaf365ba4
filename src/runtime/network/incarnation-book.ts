import type { DeviceId } from '../../core/ids.ts'
import { BoundedMap } from './bounded-map.ts'

/** A process of a device, as it was seen. */
export interface Sighting {
  /** Drawn at every start of a process, at random. */
  readonly incarnation: bigint
  /** Where it is, for people. */
  readonly address: string
}

/** Two processes have one identity: one device's state was copied to another. */
export interface Twins {
  readonly peer: DeviceId
  readonly stays: Sighting
  /** Is refused until it has an identity of its own. */
  readonly goes: Sighting
}

interface Entry {
  current: Sighting
  /** Replaced by others, the latest last. */
  readonly past: Sighting[]
  /** How often one of them was there again. */
  returns: number
  /** By incarnation, who stays instead. */
  readonly refused: Map<bigint, Sighting>
}

/** Devices, and earlier processes of one, that are kept in mind. */
const MAX_DEVICES = 1024
const MAX_PAST = 8
/** One return may be an old message that came late. */
const PROVEN_BY = 2

/** Of two, the one that everybody lets stay, whoever asks: each draws its number at random, and the smaller one wins. */
export const twinsOf = (peer: DeviceId, a: Sighting, b: Sighting): Twins =>
  a.incarnation < b.incarnation ? { peer, stays: a, goes: b } : { peer, stays: b, goes: a }

/**
 * Tells a device that was restarted from two that have one identity: a process that was replaced does not come back,
 * but two that both live replace each other for ever.
 */
export class IncarnationBook {
  readonly #entries = new BoundedMap<DeviceId, Entry>(MAX_DEVICES)

  /** Somebody proved to be this peer, and a member. @returns the twins if that was the sighting that proved them */
  note(peer: DeviceId, sighting: Sighting): Twins | undefined {
    const entry = this.#entries.get(peer)
    if (entry === undefined) {
      this.#entries.set(peer, { current: sighting, past: [], returns: 0, refused: new Map() })
      return undefined
    }
    const { current, past, refused } = entry
    const { incarnation } = sighting
    if (incarnation === current.incarnation || refused.has(incarnation)) return undefined
    const before = past.findIndex(known => known.incarnation === incarnation)
    if (before >= 0) past.splice(before, 1)
    past.push(current)
    if (past.length > MAX_PAST) past.shift()
    entry.current = sighting
    if (before < 0 || ++entry.returns < PROVEN_BY) return undefined
    const twins = twinsOf(peer, current, sighting)
    if (refused.size >= MAX_PAST) refused.clear()
    refused.set(twins.goes.incarnation, twins.stays)
    entry.current = twins.stays
    entry.returns = 0
    return twins
  }

  /** Who stays instead of this process, if it must go. */
  insteadOf(peer: DeviceId, incarnation: bigint): Sighting | undefined {
    return this.#entries.get(peer)?.refused.get(incarnation)
  }
}
