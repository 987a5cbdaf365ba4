import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type DeviceState, type PackedState, PackedStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { isNewerState } from '../ports/is-newer-state.ts'
import { BoundedMap } from './bounded-map.ts'
import { CONTROL_TRAFFIC } from './control-traffic.ts'
import { StatePacker } from './state-packer.ts'
import { isPackedAgainst, StateUnpacker } from './state-unpacker.ts'

export const STATE_TOPIC = 'tributary/state/2'

export interface GossipParts {
  readonly gossip: GossipSub
  /** Of the process of a peer that is admitted; undefined where none is. */
  readonly lifeOf: (peer: DeviceId) => bigint | undefined
  /** Of authors; those that are not admitted share theirs. */
  readonly budgets: PeerBudgets
  /** Asks an admitted device for what its states are packed against; undefined where it has told none. */
  readonly fetchBase: (from: DeviceId) => Promise<PackedState | undefined>
  readonly deliver: (from: DeviceId, state: DeviceState) => void
  readonly onMalformed: (from: DeviceId, because: string) => void
}

type Head = Pick<PackedState, 'incarnation' | 'sequence' | 'life'>

/** Authors whose latest state is known by its number. */
const MOST_AUTHORS = 1024
/** States of devices that are not here yet, and the bytes of one: packed as they came. */
const MOST_EARLY = 64
const LONGEST_EARLY = 256 * 2 ** 10

/**
 * Slow state over GossipSub. Messages are signed, so they are their author's whoever passes them on; only the newest
 * of each author is delivered. One whose author is not admitted here yet is kept until it is: gossip can be faster. What says only what
 * has changed since a state that was not heard here is kept until its author has told that one.
 */
export class Gossip {
  readonly #parts: GossipParts
  readonly #packer = new StatePacker()
  readonly #unpacker = new StateUnpacker()
  /** The newest that were passed on, and those that were delivered. */
  readonly #paid = new BoundedMap<DeviceId, Head>(MOST_AUTHORS)
  readonly #newest = new BoundedMap<DeviceId, Head>(MOST_AUTHORS)
  readonly #early = new BoundedMap<DeviceId, PackedState>(MOST_EARLY)
  /** Of devices that are here. */
  readonly #baseless = new BoundedMap<DeviceId, PackedState>(MOST_AUTHORS)
  readonly #asked = new Set<DeviceId>()

  constructor(parts: GossipParts) {
    this.#parts = parts
    // What is ignored is neither kept nor passed on: who floods costs nobody but whom it is connected to.
    parts.gossip.topicValidators.set(STATE_TOPIC, (source, message) =>
      this.#isPaidFor(message, deviceId(source.toString())) ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
    )
    parts.gossip.addEventListener('message', ({ detail }) => this.#onMessage(detail))
  }

  subscribe(): void {
    this.#parts.gossip.subscribe(STATE_TOPIC)
  }

  publish(state: DeviceState): void {
    const bytes = toBinary(PackedStateSchema, this.#packer.pack(state))
    if (CONTROL_TRAFFIC.hasSubscribers) CONTROL_TRAFFIC.publish({ kind: 'state', bytes: bytes.byteLength })
    // Reaches whoever listens; state comes again every second.
    this.#parts.gossip.publish(STATE_TOPIC, bytes).catch(() => {})
  }

  /** What this device's states are packed against now; undefined where it has told none. */
  get base(): PackedState | undefined {
    return this.#packer.base
  }

  /** A peer was admitted: what it said before counts now. */
  admit(peer: DeviceId): void {
    const packed = this.#early.get(peer)
    if (packed === undefined) return
    this.#early.delete(peer)
    this.#take(peer, packed)
  }

  /** Anybody may say again what others have signed: that is on the budget of who does. */
  #isPaidFor(message: Message, source: DeviceId): boolean {
    if (message.type !== 'signed') return false
    const from = deviceId(message.from.toString())
    const { budgets, lifeOf } = this.#parts
    const state = decode(message.data)
    const cost = costOf(message.data.byteLength, state)
    const known = this.#paid.get(from)
    if (state !== undefined && known !== undefined && !isNewerState(state, known, lifeOf(from))) {
      budgets.takes(source, 'stateBytes', cost)
      return false
    }
    const isHere = lifeOf(from) !== undefined
    if (!this.#pays(isHere ? from : 'authors of states that are not here', cost)) return false
    if (isHere && state !== undefined) this.#paid.set(from, headOf(state))
    return true
  }

  #pays(payer: string, cost: number): boolean {
    const { budgets } = this.#parts
    return budgets.takes(payer, 'stateBytes', cost) && budgets.takes(payer, 'states')
  }

  /** One that is paid for. */
  #onMessage(message: Message): void {
    if (message.topic !== STATE_TOPIC || message.type !== 'signed') return
    const from = deviceId(message.from.toString())
    const packed = decode(message.data)
    if (packed === undefined) this.#parts.onMalformed(from, MALFORMED)
    else if (this.#parts.lifeOf(from) !== undefined) this.#take(from, packed)
    // Anybody may be its author: nothing is unpacked for one.
    else if (packed.packed.length <= LONGEST_EARLY) this.#early.set(from, packed)
  }

  #take(from: DeviceId, packed: PackedState): void {
    const unpacked = this.#unpacker.unpack(from, packed)
    if (unpacked.kind === 'malformed') this.#parts.onMalformed(from, MALFORMED)
    else if (unpacked.kind === 'baseMissing') void this.#askForBase(from, packed)
    else this.#deliver(from, unpacked.state)
  }

  /** Once at a time of each. Where its author has another by then, the next that it tells will do. */
  async #askForBase(from: DeviceId, packed: PackedState): Promise<void> {
    const { lifeOf, fetchBase, onMalformed } = this.#parts
    this.#baseless.set(from, packed)
    if (this.#asked.has(from)) return
    this.#asked.add(from)
    const base = await fetchBase(from).catch(() => undefined)
    this.#asked.delete(from)
    const latest = this.#baseless.get(from)
    this.#baseless.delete(from)
    if (base?.base !== 0n || lifeOf(from) === undefined || !this.#pays(from, costOf(base.packed.length, base))) return
    this.#take(from, base)
    if (latest === undefined || !isPackedAgainst(latest, base)) return
    const unpacked = this.#unpacker.unpack(from, latest)
    if (unpacked.kind === 'state') this.#deliver(from, unpacked.state)
    else onMalformed(from, MALFORMED)
  }

  #deliver(from: DeviceId, state: DeviceState): void {
    const known = this.#newest.get(from)
    if (known !== undefined && !isNewerState(state, known, this.#parts.lifeOf(from))) return
    this.#newest.set(from, headOf(state))
    this.#parts.deliver(from, state)
  }
}

const MALFORMED = 'a state that cannot be decoded'

/** It is unpacked, too. Bytes. */
const costOf = (length: number, state: PackedState | undefined): number => Math.max(length, Number(state?.bytes ?? 0n))

const headOf = ({ incarnation, sequence, life }: Head): Head => ({ incarnation, sequence, life })

const decode = (bytes: Uint8Array): PackedState | undefined => {
  try {
    return fromBinary(PackedStateSchema, bytes)
  } catch {
    return undefined
  }
}
