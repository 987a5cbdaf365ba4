import { setMaxListeners } from 'node:events'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { NetworkError } from '../ports/network.ts'
import { RefusedError } from './admission.ts'
import { BoundedMap } from './bounded-map.ts'
import { dialRace } from './dial-race.ts'
import { isOfCluster } from './members/refusal.ts'
import { dialable, keptAddress, type Spoken, spokenAddress, withoutPeer } from './parse-address.ts'

export interface DiallerParts {
  readonly self: DeviceId
  readonly clock: Clock
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>
  /** Resolves when the connection is admitted. @throws RefusedError */
  readonly admitted: (connection: Connection) => Promise<unknown>
  readonly connected: (peer: DeviceId) => boolean
  /** How many times as long as usual everything takes here. */
  readonly lateness: () => number
  /** What this build can dial. @default TCP */
  readonly spoken?: Spoken
  /** Where this device listens. */
  readonly own: () => readonly string[]
  /** Of who tells where others are: what cannot be reached there is on them. */
  readonly budgets: PeerBudgets
  /** Whoever answers where the user said does not let this device in, and will not. @default nobody asks */
  readonly onShut?: (because: RefusedError) => void
  readonly say: (text: string, level?: 'warn') => void
}

const FIRST_PAUSE: Seconds = milliseconds(250)
const LONGEST_PAUSE: Seconds = seconds(5)
const DIAL_TIMEOUT: Seconds = seconds(6)
/** Two peers that hear of each other at once would both dial: the one with the larger id gives the other this start. */
const HEAD_START: Seconds = milliseconds(1500)
/** A peer that vanished is dialled for so long; after that it has to come back by itself. */
const PERSISTENCE: Seconds = seconds(15 * 60)
const FOR_EVER: Seconds = seconds(Number.POSITIVE_INFINITY)
/** Between two rounds over the addresses of a device of an earlier run: it may be off for days. */
const OLD_FRIENDS_PAUSE: Seconds = seconds(30)
/** A peer that was refused is left alone for so long, unless the user names its address again. */
const GRUDGE: Seconds = seconds(5 * 60)
/** Devices, and addresses of one, that we keep in mind. */
const MAX_DEVICES = 1024
export const MAX_ADDRESSES = 32

interface Goal {
  /** For the log. */
  readonly name: string
  readonly addresses: () => readonly Multiaddr[]
  /** Where only this device will do. */
  readonly peer?: DeviceId
  readonly done?: () => boolean
  readonly patience: Seconds
  readonly longestPause?: Seconds
  readonly isQuiet?: boolean
  /** Who says that it is there. */
  readonly toldBy?: DeviceId
  /** The user named it, or this device knew it at an earlier run. */
  readonly isNamed?: boolean
}

type Payer = readonly [string, 'dials' | 'dialsToHost']

/** Finds ways to peers: addresses that the user named, devices that others told us about, and those that we lost. */
export class Dialler {
  readonly #parts: DiallerParts
  readonly #known = new BoundedMap<DeviceId, readonly string[]>(MAX_DEVICES)
  /** Where it answered last. */
  readonly #proven = new BoundedMap<DeviceId, string>(MAX_DEVICES)
  readonly #grudges = new BoundedMap<DeviceId, Seconds>(MAX_DEVICES)
  readonly #seeking = new Set<string>()
  /** Searches for what the user named. */
  #named = 0
  readonly #stop = new AbortController()

  constructor(parts: DiallerParts) {
    this.#parts = parts
    // Each search that rests between two rounds listens, and there are as many as there are devices away.
    setMaxListeners(0, this.#stop.signal)
  }

  stop(): void {
    this.#stop.abort(new NetworkError('the network was stopped'))
  }

  /** Until one of them answers, or all refuse. @throws UserError when one is no address, or none of them can be dialled here */
  join(texts: readonly string[]): void {
    const addresses = dialable(texts, this.#parts.spoken)
    if (addresses.length === 0) return
    const name = texts.length > 3 ? `${texts.slice(0, 3).join(', ')}, ...` : texts.join(', ')
    this.#seek(addresses.join(), () => this.#seekNamed(name, addresses))
  }

  async #seekNamed(name: string, addresses: readonly Multiaddr[]): Promise<void> {
    this.#named++
    const wrong = await this.#persist({ name, addresses: () => addresses, patience: FOR_EVER, isNamed: true })
    this.#named--
    const isShut = addresses.every(address => wrong.has(`${address}`))
    const refusal = [...wrong.values()].find(why => why instanceof RefusedError)
    if (isShut && refusal !== undefined && this.#named === 0) this.#parts.onShut?.(refusal)
  }

  /**
   * Where a device that is connected says that it listens itself: it listens nowhere else any more, but where it answered. So a device
   * that is started often is not looked for at the ports of all its starts. @returns whether any of it was new
   */
  tells(peer: DeviceId, addresses: readonly string[]): boolean {
    const kept = addresses.flatMap(keptAddress)
    const known = this.addressesOf(peer)
    const proven = this.#proven.get(peer)
    const all = new Set([...(proven === undefined ? [] : [proven]), ...kept])
    if (kept.length > 0) this.#known.set(peer, this.#most([...all]))
    return kept.some(text => !known.includes(text))
  }

  /** Addresses of a device, as another peer tells them. @returns whether any of it was new */
  learn(peer: DeviceId, addresses: readonly string[]): boolean {
    const known = this.#known.get(peer) ?? []
    const fresh = new Set(addresses.flatMap(keptAddress).filter(text => !known.includes(text)))
    if (fresh.size > 0) this.#known.set(peer, this.#most([...fresh, ...known]))
    return fresh.size > 0
  }

  /** The peer answers at this address: it is the first to be tried next time. @returns whether that was new */
  answered(peer: DeviceId, address: string): boolean {
    const [bare] = keptAddress(address)
    const known = this.addressesOf(peer)
    if (bare !== undefined) this.#proven.set(peer, bare)
    if (bare === undefined || known[0] === bare) return false
    this.#known.set(peer, [bare, ...known.filter(text => text !== bare)].slice(0, MAX_ADDRESSES))
    return true
  }

  /** Those that only another build can dial among them. */
  addressesOf(peer: DeviceId): readonly string[] {
    return this.#known.get(peer) ?? []
  }

  /** Of more than are kept, those that can be dialled here. */
  #most(addresses: readonly string[]): readonly string[] {
    if (addresses.length <= MAX_ADDRESSES) return addresses
    const foreign = addresses.filter(text => this.#spoken(text) === undefined)
    const own = addresses.filter(text => !foreign.includes(text))
    return [...own, ...foreign].slice(0, MAX_ADDRESSES)
  }

  #spoken(text: string): Multiaddr | undefined {
    return spokenAddress(text, this.#parts.spoken)
  }

  /** The peer proved the key after all. */
  forgive(peer: DeviceId): void {
    this.#grudges.delete(peer)
  }

  resent(peer: DeviceId): void {
    this.#grudges.set(peer, this.#parts.clock.now())
  }

  /** Somebody told us of a device that we are not connected to. @param toldBy a member that did; default: the device itself */
  meet(peer: DeviceId, toldBy?: DeviceId): void {
    const known = { patience: seconds(10), ...(toldBy === undefined ? {} : { toldBy }) }
    this.#reach(peer, known, this.#headStart(peer))
  }

  /** A device that was here is gone: it may come back. */
  miss(peer: DeviceId): void {
    this.#reach(peer, { patience: PERSISTENCE }, FIRST_PAUSE)
  }

  /** A device of an earlier run: it may not be up yet, or not be any more. */
  recall(peer: DeviceId, addresses: readonly string[]): void {
    this.learn(peer, addresses)
    const slowly = { patience: FOR_EVER, longestPause: OLD_FRIENDS_PAUSE, isQuiet: true }
    this.#reach(peer, slowly, this.#headStart(peer))
  }

  #headStart(peer: DeviceId): Seconds {
    return seconds(peer < this.#parts.self ? HEAD_START * this.#parts.lateness() : 0)
  }

  #reach(peer: DeviceId, how: Omit<Goal, 'name' | 'addresses'>, pause: Seconds): void {
    const { self, clock, connected } = this.#parts
    const grudge = this.#grudges.get(peer)
    if (peer === self || connected(peer)) return
    if (grudge !== undefined && clock.now() - grudge < GRUDGE) return
    // It is for others to dial, and for it to dial us.
    const known = this.addressesOf(peer)
    if (known.length > 0 && known.every(text => this.#spoken(text) === undefined)) return
    this.#seek(
      peer,
      async () => {
        if (pause > 0) await clock.sleep(pause, { signal: this.#stop.signal })
        const done = (): boolean => connected(peer)
        await this.#persist({ ...how, name: peer, peer, done, addresses: () => this.#multiaddrs(peer) })
      },
      how.toldBy
    )
  }

  #say(text: string, toldBy: DeviceId | undefined): void {
    const { budgets, say } = this.#parts
    if (toldBy === undefined || budgets.takes(toldBy, 'lines')) say(text, 'warn')
  }

  /** One search per goal at a time; a search that fails tells why and is over. */
  #seek(goal: string, work: () => Promise<void>, toldBy?: DeviceId): void {
    if (this.#seeking.has(goal) || this.#stop.signal.aborted) return
    this.#seeking.add(goal)
    work()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#say(`gave up on ${goal}: ${(error as Error).message}`, toldBy)
      })
      .finally(() => this.#seeking.delete(goal))
  }

  /** Where a device may be. Not at our own addresses: many machines have the same ones for themselves. */
  #multiaddrs(peer: DeviceId): readonly Multiaddr[] {
    const own = new Set(this.#parts.own().flatMap(keptAddress))
    return this.addressesOf(peer)
      .filter(text => !own.has(text))
      .flatMap(text => this.#spoken(text) ?? [])
  }

  /**
   * Round after round over the addresses, with growing pauses.
   * @returns those that never will do, with why: all, where nobody was reached @throws the last failure when patience is over
   */
  async #persist(goal: Goal): Promise<ReadonlyMap<string, unknown>> {
    const { clock } = this.#parts
    const { name, toldBy, done = () => false, patience, longestPause = LONGEST_PAUSE, isQuiet = false } = goal
    const began = clock.now()
    const wrong = new Map<string, unknown>()
    for (let pause = FIRST_PAUSE, round = 0; ; round++) {
      if (done()) return wrong
      const addresses = goal.addresses()
      const left = addresses.filter(address => !wrong.has(`${address}`))
      if (left.length === 0 && addresses.length > 0) return wrong // all of them refused, or are ours
      const failure = await this.#round(goal, left, wrong)
      this.#stop.signal.throwIfAborted()
      if (failure === undefined) return wrong
      if (left.length === 0 || clock.now() - began > patience) throw failure
      // Who refuses for good has been told of by its reason.
      const isOver = addresses.length > 0 && addresses.every(address => wrong.has(`${address}`))
      if (round === 0 && !isQuiet && !isOver)
        this.#say(`${name} does not answer yet (${failure.message}); trying on`, toldBy)
      await clock.sleep(pause, { signal: this.#stop.signal })
      pause = seconds(Math.min(longestPause, pause * 1.6))
    }
  }

  /** @returns the last failure, if none of the addresses will do; those that never will are added to `wrong` */
  async #round(
    { peer, toldBy, done = () => false, isNamed = false }: Goal,
    addresses: readonly Multiaddr[],
    wrong: Map<string, unknown>
  ): Promise<Error | undefined> {
    let failure: Error = new NetworkError('no address is known')
    const attempt = async (address: Multiaddr, signal: AbortSignal): Promise<boolean> => {
      const payers = isNamed ? [] : this.#payers(address, peer, toldBy)
      if (!this.#takesAll(payers)) {
        failure = new NetworkError('too many devices do not answer where they are said to be')
        return false
      }
      try {
        await this.#attempt(address, peer, signal)
        for (const [payer, kind] of payers) this.#parts.budgets.givesBack(payer, kind)
        return true
      } catch (error) {
        if (isFinal(error)) wrong.set(`${address}`, error)
        failure = error as Error
        // It speaks for all others: they need not be waited for.
        if (isNamed && error instanceof RefusedError && error.reason !== undefined && isOfCluster(error.reason))
          this.#parts.onShut?.(error)
        return false
      }
    }
    const isReached = await dialRace(addresses, attempt, { clock: this.#parts.clock, signal: this.#stop.signal, done })
    return isReached ? undefined : failure
  }

  /**
   * Whose budgets an attempt is on, until somebody of the cluster answers: nobody may have this device knock at a third
   * host's doors. Where the device has answered before, nobody's.
   */
  #payers(address: Multiaddr, peer: DeviceId | undefined, toldBy: DeviceId | undefined): readonly Payer[] {
    if (peer !== undefined && this.#proven.get(peer) === `${withoutPeer(address)}`) return []
    const host: Payer = [`${address}`.split('/').slice(0, 3).join('/'), 'dialsToHost']
    return toldBy === undefined ? [host] : [[toldBy, 'dials'], host]
  }

  /** All or none of them. */
  #takesAll(payers: readonly Payer[]): boolean {
    const { budgets } = this.#parts
    const refusing = payers.findIndex(([payer, kind]) => !budgets.takes(payer, kind))
    if (refusing === -1) return true
    for (const [payer, kind] of payers.slice(0, refusing)) budgets.givesBack(payer, kind)
    return false
  }

  async #attempt(address: Multiaddr, wanted: DeviceId | undefined, given: AbortSignal): Promise<void> {
    const { clock, dial, admitted, lateness } = this.#parts
    const late = new AbortController()
    const done = new AbortController()
    const signal = AbortSignal.any([late.signal, given])
    const patience = seconds(DIAL_TIMEOUT * lateness())
    clock.sleep(patience, { signal: done.signal }).then(
      () => late.abort(new NetworkError(`no answer within ${Math.round(patience)} s`)),
      () => {}
    )
    try {
      // Without the peer's id: libp2p dials the addresses of one peer one after the other, however they come.
      const connection = await unlessAborted(dial(withoutPeer(address), signal), signal)
      await admitted(connection)
      const found = deviceId(`${connection.remotePeer}`)
      if (wanted !== undefined && found !== wanted) throw new ElsewhereError('another device is at its address')
    } finally {
      done.abort()
    }
  }
}

/** Somebody else answered. Not to be tried again: each time there would be one more connection to that one. */
class ElsewhereError extends Error {}

/** libp2p may notice late that nobody waits any more. */
const unlessAborted = async <T>(what: Promise<T>, signal: AbortSignal): Promise<T> => {
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal })
  })
  what.catch(() => {})
  try {
    return await Promise.race([what, aborted])
  } finally {
    over.abort()
  }
}

/** It will not be otherwise another time. */
const isFinal = (error: unknown): boolean =>
  (error instanceof RefusedError && !error.isPassing) || error instanceof ElsewhereError || isSelf(error)

const isSelf = (error: unknown): boolean => error instanceof Error && /dial self/.test(error.message)
