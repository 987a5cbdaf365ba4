import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'

/** Of a window, with a device that has returned nothing of late; one tells nothing of it, and half a window is not risked. */
const UNPROVEN_SHARE = 1 / 4
const LEAST_SHARE = 2
const MOST_SHARE = 1 / 2
/** At most, in windows: whoever returns everything is never held up. */
const MOST_WINDOWS = 2
/** Weights of a new sample, and deviations beyond the mean, as in RFC 6298. */
const GAIN = 1 / 8
const DEVIATION_GAIN = 1 / 4
const DEVIATIONS = 4
/** A device whose datum was late gets no more on ways that its source chooses for so long, each time twice as long. */
const FIRST_SHUNNED: Seconds = seconds(10)
const MOST_DOUBLINGS = 5
/** Nothing is made of a silence shorter than this. */
const LEAST_SILENCE: Seconds = seconds(0.5)

export interface LateDatum {
  readonly device: DeviceId
  readonly inARow: number
  readonly isOvertaken: boolean
  /** So long it has had data and returned none. */
  readonly silentFor: Seconds
}

interface Peer {
  /** Data that it has, as far as is known, and since when. */
  readonly has: Map<number, Seconds>
  /** Data that are on a way to it that their source has chosen. */
  readonly coming: Set<number>
  /** Since when it has had some and has returned none. */
  owesSince: number | undefined
  /** Beyond its share of the window: one for each that came back, half of it when one did not. */
  earned: number
  /** Times that it was late in a row. */
  lateInARow: number
  lateAt: number
  mean: number | undefined
  deviation: number
  returnedAt: number
}

/**
 * How many data of a source may be with a device at once, where it has returned none yet and others have, where nothing has come from it for
 * longer than it usually takes, and where data that went out later than one of its own have come back: as many as it has lately returned, and a
 * few before that. So one that takes data and never answers has few of them, however fast it says that it is, and one that
 * answers in its turn is not held up. Additive increase for each datum that comes back, multiplicative
 * decrease for each that does not come in time; a device from which nothing has come for longer than it usually takes has
 * its share and no more. Pure; times are handed in.
 */
export class PeerCredit {
  readonly #peers = new Map<DeviceId, Peer>()
  /** Who had it, the last at the end. */
  readonly #ways = new Map<number, DeviceId[]>()
  /** Whom it is to come to, where its source has said that. */
  readonly #plans = new Map<number, readonly DeviceId[]>()
  /** When the youngest that has come back went out. */
  #youngestBack = Number.NEGATIVE_INFINITY

  /** It goes to `device`, or is there: whoever had it before has passed it on. */
  given(datum: number, device: DeviceId, now: Seconds): void {
    const way = this.#ways.get(datum)
    if (way === undefined) this.#ways.set(datum, [device])
    else {
      const last = way[way.length - 1]!
      if (last === device) return
      this.#peers.get(last)?.has.delete(datum)
      const before = way.indexOf(device)
      if (before !== -1) way.splice(before, 1)
      way.push(device)
    }
    const peer = this.#of(device)
    peer.has.set(datum, now)
    peer.coming.delete(datum)
    peer.owesSince ??= now
  }

  /** It goes out on a way that its source has chosen. */
  planned(datum: number, devices: readonly DeviceId[]): void {
    this.#plans.set(datum, devices)
    for (const device of devices) this.#of(device).coming.add(datum)
  }

  /** Its result is home. @param took since it went out; undefined: not known */
  returned(datum: number, took: Seconds | undefined, now: Seconds): void {
    if (took !== undefined) this.#youngestBack = Math.max(this.#youngestBack, now - took)
    for (const device of this.#ways.get(datum) ?? []) {
      const peer = this.#of(device)
      peer.earned++
      peer.lateInARow = 0
      peer.returnedAt = now
      peer.owesSince = peer.has.size > 1 ? now : undefined
      if (took !== undefined) measure(peer, took)
    }
    this.forget(datum)
  }

  /**
   * Nothing was heard of it for too long.
   * @returns who had it last, how many of its data in a row were late, and whether something that went out later has come back
   */
  late(datum: number, now: Seconds): LateDatum | undefined {
    const holder = this.#ways.get(datum)?.at(-1)
    const since = this.#holder(datum)?.has.get(datum)
    const device = this.#next(datum) ?? holder
    this.forget(datum)
    if (device === undefined || since === undefined) return undefined
    const peer = this.#of(device)
    peer.earned = Math.floor(peer.earned / 2)
    // Who has returned others since may have passed it on.
    if (peer.returnedAt > since) return undefined
    peer.lateInARow++
    peer.lateAt = now
    peer.owesSince ??= since
    const silentFor = seconds(now - peer.owesSince)
    return { device, inARow: peer.lateInARow, isOvertaken: since < this.#youngestBack, silentFor }
  }

  /** Who passes a datum on need not be who keeps it: of those that it was to come to next, one that has returned nothing of late. */
  #next(datum: number): DeviceId | undefined {
    return this.#plans.get(datum)?.find(device => {
      const peer = this.#of(device)
      return peer.coming.has(datum) && !hasReturned(peer)
    })
  }

  /** It is done, or is nowhere any more. */
  forget(datum: number): void {
    this.#holder(datum)?.has.delete(datum)
    this.#ways.delete(datum)
    for (const device of this.#plans.get(datum) ?? []) this.#of(device).coming.delete(datum)
    this.#plans.delete(datum)
  }

  /** Devices that have all that they are trusted with. */
  full(window: number, now: Seconds): ReadonlySet<DeviceId> {
    const full = new Set<DeviceId>()
    for (const [device, peer] of this.#peers) {
      const isTrusted = this.#mayBeTrusted(peer) && !isSilent(peer, now) && !this.#isOvertaken(peer)
      if (!isTrusted && peer.has.size + peer.coming.size >= credit(peer, window, now)) full.add(device)
    }
    return full
  }

  /** Devices whose last data were late, with how many in a row. */
  silent(): ReadonlyMap<DeviceId, number> {
    return new Map(
      [...this.#peers].flatMap(([device, { lateInARow }]) => (lateInARow > 0 ? [[device, lateInARow] as const] : []))
    )
  }

  /** Nothing is known against it: it has returned something, or nobody has. */
  #mayBeTrusted(peer: Peer): boolean {
    const isBeginning = this.#youngestBack === Number.NEGATIVE_INFINITY && peer.lateInARow === 0
    return isBeginning || hasReturned(peer)
  }

  /** Its last data were late, and that is not long ago. */
  isShunned(device: DeviceId, now: Seconds): boolean {
    const { lateInARow, lateAt } = this.#of(device)
    return lateInARow > 0 && now - lateAt < FIRST_SHUNNED * 2 ** Math.min(lateInARow - 1, MOST_DOUBLINGS)
  }

  /** It has returned something, and none of its data were late since. */
  isProven(device: DeviceId): boolean {
    const peer = this.#peers.get(device)
    return peer !== undefined && hasReturned(peer)
  }

  /** Data that it has or that are on their way to it, as far as is known. */
  with(device: DeviceId): number {
    const peer = this.#peers.get(device)
    return peer === undefined ? 0 : peer.has.size + peer.coming.size
  }

  #isOvertaken({ has }: Peer): boolean {
    const [oldest] = has.values()
    return oldest !== undefined && oldest < this.#youngestBack
  }

  #holder(datum: number): Peer | undefined {
    const device = this.#ways.get(datum)?.at(-1)
    return device === undefined ? undefined : this.#peers.get(device)
  }

  #of(device: DeviceId): Peer {
    const known = this.#peers.get(device)
    if (known !== undefined) return known
    const nothing = {
      earned: 0,
      lateInARow: 0,
      lateAt: 0,
      mean: undefined,
      deviation: 0,
      returnedAt: Number.NEGATIVE_INFINITY
    }
    const peer = { has: new Map<number, Seconds>(), coming: new Set<number>(), owesSince: undefined, ...nothing }
    this.#peers.set(device, peer)
    return peer
  }
}

const hasReturned = ({ returnedAt, lateInARow }: Peer): boolean =>
  returnedAt > Number.NEGATIVE_INFINITY && lateInARow === 0

const credit = (peer: Peer, window: number, now: Seconds): number => {
  const whole = Math.min(window * MOST_SHARE, Math.max(LEAST_SHARE, window * UNPROVEN_SHARE))
  const share = Math.max(1, Math.floor(whole / 2 ** peer.lateInARow))
  peer.earned = Math.min(peer.earned, Math.ceil(MOST_WINDOWS * window))
  return isSilent(peer, now) ? share : share + peer.earned
}

/** It has had one for longer than it usually takes, and nothing has come from it meanwhile. */
const isSilent = ({ has, mean, deviation, returnedAt }: Peer, now: Seconds): boolean => {
  const [oldest] = has.values()
  if (oldest === undefined || mean === undefined) return false
  return now - Math.max(oldest, returnedAt) > Math.max(LEAST_SILENCE, 2 * mean + DEVIATIONS * deviation)
}

const measure = (peer: Peer, took: number): void => {
  if (peer.mean === undefined) {
    peer.mean = took
    peer.deviation = took / 2
    return
  }
  peer.deviation += DEVIATION_GAIN * (Math.abs(took - peer.mean) - peer.deviation)
  peer.mean += GAIN * (took - peer.mean)
}
