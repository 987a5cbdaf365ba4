import type { BlockHash, DeviceId } from '../core/ids.ts'
import type { Bytes } from '../core/units.ts'
import type {
  LinkMeasure,
  Network,
  NetworkCounters,
  NetworkHandlers,
  PeersBudgets,
  Right,
  Role,
  Sending
} from '../runtime/ports/network.ts'

type Given<K extends 'sendTask' | 'request' | 'notify' | 'publishState'> = Parameters<Network[K]>

/**
 * A network in which some devices have no link to each other, though they are members of one cluster: they hear of each
 * other, and no data travel directly. What links that exist take, the network below is told by their shapers.
 */
export class EmulatedNetwork implements Network {
  readonly #below: Network
  readonly #exists: (peer: DeviceId) => boolean

  /** @param exists whether there is a link from here to a peer; asked each time */
  constructor(below: Network, exists: (peer: DeviceId) => boolean) {
    this.#below = below
    this.#exists = exists
  }

  leadsTo(peer: DeviceId): boolean {
    return this.#exists(peer)
  }

  link(to: DeviceId): LinkMeasure | undefined {
    return this.#exists(to) ? this.#below.link(to) : undefined
  }

  get self(): DeviceId {
    return this.#below.self
  }

  get life(): bigint {
    return this.#below.life
  }

  addresses(): readonly string[] {
    return this.#below.addresses()
  }

  rightOf(peer: DeviceId): Right {
    return this.#below.rightOf?.(peer) ?? 'none'
  }

  boundName(peer: DeviceId): string | undefined {
    return this.#below.boundName?.(peer)
  }

  peers(): ReadonlyMap<DeviceId, Role> {
    return this.#below.peers()
  }

  start(handlers: NetworkHandlers): Promise<void> {
    return this.#below.start(handlers)
  }

  stop(): Promise<void> {
    return this.#below.stop()
  }

  join(...addresses: readonly string[]): void {
    this.#below.join(...addresses)
  }

  acquaintances(): ReadonlyMap<DeviceId, readonly string[]> {
    return this.#below.acquaintances()
  }

  sendTask(...given: Given<'sendTask'>): Sending {
    return this.#below.sendTask(...given)
  }

  request(...given: Given<'request'>): ReturnType<Network['request']> {
    return this.#below.request(...given)
  }

  notify(...given: Given<'notify'>): void {
    this.#below.notify(...given)
  }

  publishState(...given: Given<'publishState'>): void {
    this.#below.publishState(...given)
  }

  fetchBlob(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string> {
    return this.#below.fetchBlob(hash, size, holders, signal)
  }

  counters(): NetworkCounters {
    return this.#below.counters()
  }

  budgets(): PeersBudgets | undefined {
    return this.#below.budgets?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#below.stop()
  }
}
