import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { RefusedError } from './admission.ts'
import { BoundedMap } from './bounded-map.ts'
import { NetworkError } from './network.ts'
import { parseAddress } from './parse-address.ts'

export interface DiallerParts {
  readonly self: DeviceId
  readonly clock: Clock
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<Connection>
  /** Resolves when the connection is admitted. @throws RefusedError */
  readonly admitted: (connection: Connection) => Promise<unknown>
  readonly connected: (peer: DeviceId) => boolean
  readonly say: (text: string) => void
}

const FIRST_PAUSE: Seconds = milliseconds(250)
const LONGEST_PAUSE: Seconds = seconds(5)
const DIAL_TIMEOUT: Seconds = seconds(6)
/** Two peers that hear of each other at once would both dial: the one with the larger id gives the other this start. */
const HEAD_START: Seconds = milliseconds(1500)
/** A peer that vanished is dialled for so long; after that it has to come back by itself. */
const PERSISTENCE: Seconds = seconds(15 * 60)
/** A peer that was refused is left alone for so long, unless the user names its address again. */
const GRUDGE: Seconds = seconds(5 * 60)
/** Devices, and addresses of one, that we keep in mind. */
const MAX_DEVICES = 1024
const MAX_ADDRESSES = 32

/** Finds ways to peers: addresses that the user named, devices that others told us about, and those that we lost. */
export class Dialler {
  readonly #parts: DiallerParts
  readonly #known = new BoundedMap<DeviceId, readonly string[]>(MAX_DEVICES)
  readonly #grudges = new BoundedMap<DeviceId, Seconds>(MAX_DEVICES)
  readonly #seeking = new Set<string>()
  readonly #stop = new AbortController()

  constructor(parts: DiallerParts) {
    this.#parts = parts
  }

  stop(): void {
    this.#stop.abort(new NetworkError('the network was stopped'))
  }

  /** Until it answers or refuses. @throws UserError when it is not an address */
  join(text: string): void {
    const address = parseAddress(text, 'join')
    this.#seek(`${address}`, async () => {
      await this.#persist([address], () => false, seconds(Number.POSITIVE_INFINITY), text)
    })
  }

  /** Addresses of a device, as itself or another peer tells them. @returns whether any of it was new */
  learn(peer: DeviceId, addresses: readonly string[]): boolean {
    const known = this.#known.get(peer) ?? []
    const fresh = addresses.filter(text => isAddress(text) && !known.includes(text))
    if (fresh.length > 0) this.#known.set(peer, [...fresh, ...known].slice(0, MAX_ADDRESSES))
    return fresh.length > 0
  }

  addressesOf(peer: DeviceId): readonly string[] {
    return this.#known.get(peer) ?? []
  }

  /** The peer proved the key after all. */
  forgive(peer: DeviceId): void {
    this.#grudges.delete(peer)
  }

  resent(peer: DeviceId): void {
    this.#grudges.set(peer, this.#parts.clock.now())
  }

  /** Somebody told us of a device that we are not connected to. */
  meet(peer: DeviceId): void {
    const { self, clock } = this.#parts
    this.#reach(peer, async connected => {
      if (peer < self) await clock.sleep(HEAD_START, { signal: this.#stop.signal })
      if (connected()) return
      await this.#persist(this.#multiaddrs(peer), connected, seconds(10), peer)
    })
  }

  /** A device that was here is gone: it may come back. */
  miss(peer: DeviceId): void {
    const { clock } = this.#parts
    this.#reach(peer, async connected => {
      await clock.sleep(FIRST_PAUSE, { signal: this.#stop.signal })
      await this.#persist(this.#multiaddrs(peer), connected, PERSISTENCE, peer)
    })
  }

  #reach(peer: DeviceId, work: (connected: () => boolean) => Promise<void>): void {
    const { self, clock, connected } = this.#parts
    const grudge = this.#grudges.get(peer)
    if (peer === self || connected(peer)) return
    if (grudge !== undefined && clock.now() - grudge < GRUDGE) return
    this.#seek(peer, () => work(() => connected(peer)))
  }

  /** One search per goal at a time; a search that fails tells why and is over. */
  #seek(goal: string, work: () => Promise<void>): void {
    if (this.#seeking.has(goal) || this.#stop.signal.aborted) return
    this.#seeking.add(goal)
    work()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#parts.say(`gave up on ${goal}: ${(error as Error).message}`)
      })
      .finally(() => this.#seeking.delete(goal))
  }

  #multiaddrs(peer: DeviceId): readonly Multiaddr[] {
    return this.addressesOf(peer).map(text => {
      const address = parseAddress(text, 'join')
      return address.getComponents().some(c => c.name === 'p2p') ? address : address.encapsulate(`/p2p/${peer}`)
    })
  }

  /** Round after round over the addresses, with growing pauses. @throws the last failure when `patience` is over */
  async #persist(addresses: readonly Multiaddr[], done: () => boolean, patience: Seconds, goal: string): Promise<void> {
    const { clock, say } = this.#parts
    const began = clock.now()
    let failure: unknown = new NetworkError('no address is known')
    for (let pause = FIRST_PAUSE, round = 0; ; round++) {
      for (const address of addresses) {
        if (done()) return
        try {
          return await this.#attempt(address)
        } catch (error) {
          this.#stop.signal.throwIfAborted()
          if (error instanceof RefusedError || isSelf(error)) return
          failure = error
        }
      }
      if (addresses.length === 0 || clock.now() - began > patience) throw failure
      if (round === 0) say(`${goal} does not answer yet (${(failure as Error).message}); trying on`)
      await clock.sleep(pause, { signal: this.#stop.signal })
      pause = seconds(Math.min(LONGEST_PAUSE, pause * 1.6))
    }
  }

  async #attempt(address: Multiaddr): Promise<void> {
    const { clock, dial, admitted } = this.#parts
    const late = new AbortController()
    const done = new AbortController()
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    clock.sleep(DIAL_TIMEOUT, { signal: done.signal }).then(
      () => late.abort(new NetworkError(`no answer within ${DIAL_TIMEOUT} s`)),
      () => {}
    )
    try {
      await admitted(await dial(address, signal))
    } finally {
      done.abort()
    }
  }
}

const isAddress = (text: string): boolean => {
  if (text.length > 512) return false
  try {
    parseAddress(text, 'join')
    return true
  } catch {
    return false
  }
}

const isSelf = (error: unknown): boolean => error instanceof Error && /dial self/.test(error.message)
