import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { isNewerState } from '../ports/is-newer-state.ts'
import { BoundedMap } from './bounded-map.ts'
import { stateHead } from './state-head.ts'

export const STATE_TOPIC = 'tributary/state/1'

export interface GossipParts {
  readonly gossip: GossipSub
  /** Of the process of a peer that is admitted; undefined where none is. */
  readonly lifeOf: (peer: DeviceId) => bigint | undefined
  /** Of authors; those that are not admitted share theirs. */
  readonly budgets: PeerBudgets
  readonly deliver: (from: DeviceId, state: DeviceState) => void
  readonly onMalformed: (from: DeviceId, because: string) => void
}

/**
 * Slow state over GossipSub. Messages are signed, so they are their author's whoever passes them on; only the newest
 * of each author is delivered. One whose author is not admitted here yet is kept until it is: gossip can be faster.
 */
export class Gossip {
  readonly #parts: GossipParts
  readonly #newest = new BoundedMap<DeviceId, DeviceState>(1024)
  readonly #early = new BoundedMap<DeviceId, DeviceState>(64)

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
    // Reaches whoever listens; state comes again every second.
    this.#parts.gossip.publish(STATE_TOPIC, toBinary(DeviceStateSchema, state)).catch(() => {})
  }

  /** A peer was admitted: what it said before counts now. */
  admit(peer: DeviceId): void {
    const state = this.#early.get(peer)
    if (state === undefined) return
    this.#early.delete(peer)
    this.#deliver(peer, state)
  }

  /** Anybody may say again what others have signed: that is on the budget of who does. */
  #isPaidFor(message: Message, source: DeviceId): boolean {
    if (message.type !== 'signed') return false
    const from = deviceId(message.from.toString())
    const { budgets, lifeOf } = this.#parts
    if (!this.#isNews(from, message.data)) {
      budgets.takes(source, 'stateBytes', message.data.byteLength)
      return false
    }
    const payer = lifeOf(from) !== undefined ? from : 'authors of states that are not here'
    return budgets.takes(payer, 'stateBytes', message.data.byteLength) && budgets.takes(payer, 'states')
  }

  #isNews(from: DeviceId, data: Uint8Array): boolean {
    const known = this.#newest.get(from)
    const head = known === undefined ? undefined : stateHead(data)
    if (known === undefined || head === undefined) return true
    // Whose word it is is not read before it is paid for: as if it were of the process that is there.
    const life = this.#parts.lifeOf(from) ?? 0n
    return isNewerState({ ...head, life }, known, life)
  }

  /** One that is paid for. */
  #onMessage(message: Message): void {
    if (message.topic !== STATE_TOPIC || message.type !== 'signed') return
    const from = deviceId(message.from.toString())
    const state = decode(message.data)
    if (state === undefined) this.#parts.onMalformed(from, 'a state that cannot be decoded')
    else if (state.device !== from) this.#parts.onMalformed(from, `a state of ${state.device.slice(0, 80)}`)
    else if (this.#parts.lifeOf(from) !== undefined) this.#deliver(from, state)
    else this.#early.set(from, state)
  }

  #deliver(from: DeviceId, state: DeviceState): void {
    const known = this.#newest.get(from)
    if (known !== undefined && !isNewerState(state, known, this.#parts.lifeOf(from))) return
    this.#newest.set(from, state)
    this.#parts.deliver(from, state)
  }
}

const decode = (bytes: Uint8Array): DeviceState | undefined => {
  try {
    return fromBinary(DeviceStateSchema, bytes)
  } catch {
    return undefined
  }
}
