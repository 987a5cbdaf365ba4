import { create, toBinary } from '@bufbuild/protobuf'
import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import { expect, test } from 'vitest'
import { PEER_BUDGETS, PeerBudgets } from '../../cluster/peer-budgets.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { Gossip, STATE_TOPIC } from './gossip.ts'
import { stateHead } from './state-head.ts'

const [porch, mallory] = ['porch', 'mallory'].map(deviceId) as [DeviceId, DeviceId]

/** What GossipSub hands on of what peers pass on. */
class Mesh extends EventTarget {
  readonly topicValidators = new Map<string, (source: unknown, message: Message) => TopicValidatorResult>()

  pass(source: DeviceId, from: DeviceId, data: Uint8Array): void {
    const message = { type: 'signed', topic: STATE_TOPIC, from, data } as unknown as Message
    if (this.topicValidators.get(STATE_TOPIC)!(source, message) !== TopicValidatorResult.Accept) return
    this.dispatchEvent(Object.assign(new Event('message'), { detail: message }))
  }
}

const open = (life = 0n) => {
  const mesh = new Mesh()
  const heard: bigint[] = []
  const named = new Set<string>()
  const budgets = new PeerBudgets({ now: () => seconds(0), exceeded: peer => named.add(peer) })
  new Gossip({
    gossip: mesh as unknown as GossipSub,
    lifeOf: () => life,
    budgets,
    deliver: (_, { sequence }) => heard.push(sequence),
    onMalformed: (_, because) => expect.unreachable(because)
  })
  return { mesh, heard, named }
}

const stateOf = (
  device: DeviceId,
  sequence: bigint,
  parts: { status?: string; incarnation?: bigint; life?: bigint } = {}
): Uint8Array =>
  toBinary(DeviceStateSchema, create(DeviceStateSchema, { device, name: 'n', incarnation: 7n, sequence, ...parts }))

test('who passes on again what another has signed silences nobody, and is named itself', () => {
  const { mesh, heard, named } = open()
  const status = 'x'.repeat(PEER_BUDGETS.stateBytes.burst / 100)
  const recorded = [1n, 2n, 3n].map(sequence => stateOf(porch, sequence, { status }))
  for (const state of recorded) mesh.pass(porch, porch, state)
  for (let i = 0; i < 100; i++) for (const state of recorded) mesh.pass(mallory, porch, state)
  mesh.pass(porch, porch, stateOf(porch, 4n))
  expect(heard).toEqual([1n, 2n, 3n, 4n])
  expect([...named]).toEqual([mallory])
})

test('the state of a process that has begun anew is news, whatever its number', () => {
  const { mesh, heard } = open()
  mesh.pass(mallory, porch, stateOf(porch, 9n))
  mesh.pass(mallory, porch, stateOf(porch, 1n, { incarnation: 8n }))
  expect(heard).toEqual([9n, 1n])
})

test('what the process says that is there is news, though a copy of the device had larger numbers', () => {
  const { mesh, heard, named } = open(11n)
  mesh.pass(mallory, porch, stateOf(porch, 9n, { incarnation: 8n, life: 12n }))
  mesh.pass(mallory, porch, stateOf(porch, 8n, { incarnation: 8n, life: 12n }))
  mesh.pass(porch, porch, stateOf(porch, 1n, { life: 11n }))
  for (const sequence of [1n, 2n]) mesh.pass(porch, porch, stateOf(porch, sequence, { life: 11n }))
  expect(heard).toEqual([9n, 1n, 2n])
  expect([...named]).toEqual([])
})

test('which state it is can be read of how it begins; of what is none nothing', () => {
  expect(stateHead(stateOf(porch, 5n, { status: 'x' }))).toEqual({ incarnation: 7n, sequence: 5n })
  expect(stateHead(stateOf(porch, 5n))).toEqual({ incarnation: 7n, sequence: 5n })
  expect(stateHead(new Uint8Array([255]))).toBe(undefined)
})
