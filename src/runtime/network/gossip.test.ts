import { create, toBinary } from '@bufbuild/protobuf'
import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import { expect, test, vi } from 'vitest'
import { PEER_BUDGETS, PeerBudgets } from '../../cluster/peer-budgets.ts'
import { deferred } from '../../core/deferred.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { DeviceStateSchema, type PackedState, PackedStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { Gossip, STATE_TOPIC } from './gossip.ts'
import { StatePacker } from './state-packer.ts'

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

interface OpenParts {
  /** Of all that are here; undefined for those that are not. */
  readonly life?: bigint
  readonly lifeOf?: (peer: DeviceId) => bigint | undefined
  readonly fetchBase?: () => Promise<PackedState | undefined>
}

const open = ({ life = 0n, lifeOf = () => life, fetchBase = async () => undefined }: OpenParts = {}) => {
  const mesh = new Mesh()
  const heard: bigint[] = []
  const malformed: DeviceId[] = []
  const named = new Set<string>()
  const budgets = new PeerBudgets({ now: () => seconds(0), exceeded: peer => named.add(peer) })
  const gossip = new Gossip({
    gossip: mesh as unknown as GossipSub,
    lifeOf,
    budgets,
    fetchBase,
    deliver: (_, { sequence }) => heard.push(sequence),
    onMalformed: from => malformed.push(from)
  })
  return { gossip, mesh, heard, malformed, named }
}

interface StateParts {
  readonly status?: string
  readonly incarnation?: bigint
  readonly life?: bigint
}

const state = (device: DeviceId, sequence: bigint, parts: StateParts = {}) =>
  create(DeviceStateSchema, { device, name: 'n', incarnation: 7n, sequence, ...parts })

const encoded = (packed: PackedState): Uint8Array => toBinary(PackedStateSchema, packed)

/** One that stands for itself. */
const stateOf = (...of: Parameters<typeof state>): Uint8Array => encoded(new StatePacker().pack(state(...of)))

/** What is long, and different each time. */
const linksAt = (time: number): string =>
  JSON.stringify(
    Array.from({ length: 30 }, (_, n) => ({ to: `device ${(n * 7919) % 1009}`, rate: 1e6 + (n === time ? 1 : 0) }))
  )

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
  const { mesh, heard, named } = open({ life: 11n })
  mesh.pass(mallory, porch, stateOf(porch, 9n, { incarnation: 8n, life: 12n }))
  mesh.pass(mallory, porch, stateOf(porch, 8n, { incarnation: 8n, life: 12n }))
  mesh.pass(porch, porch, stateOf(porch, 1n, { life: 11n }))
  for (const sequence of [1n, 2n]) mesh.pass(porch, porch, stateOf(porch, sequence, { life: 11n }))
  expect(heard).toEqual([9n, 1n, 2n])
  expect([...named]).toEqual([])
})

test('what has changed since a state that was heard is the state that has changed', () => {
  const { mesh, heard, malformed } = open()
  const packer = new StatePacker()
  const sizes = [1, 2, 3].map(time => {
    const bytes = encoded(packer.pack(state(porch, BigInt(time), { status: linksAt(time) })))
    mesh.pass(porch, porch, bytes)
    return bytes.length
  })
  expect({ heard, malformed }).toEqual({ heard: [1n, 2n, 3n], malformed: [] })
  expect(Math.max(...sizes.slice(1))).toBeLessThan(sizes[0]! / 4)
})

test('whoever has not heard that state asks its author for it, once at a time, and hears the newest', async () => {
  const packer = new StatePacker()
  const packed = [1, 2, 3].map(time => packer.pack(state(porch, BigInt(time), { status: linksAt(time) })))
  const answer = deferred<PackedState>()
  let asked = 0
  const { mesh, heard, malformed } = open({
    fetchBase: () => {
      asked++
      return answer.promise
    }
  })
  mesh.pass(porch, porch, encoded(packed[1]!))
  mesh.pass(porch, porch, encoded(packed[2]!))
  expect([asked, heard]).toEqual([1, []])
  answer.resolve(packer.base!)
  await vi.waitFor(() => expect(heard).toEqual([1n, 3n]))
  mesh.pass(porch, porch, encoded(packer.pack(state(porch, 4n, { status: linksAt(4) }))))
  expect({ asked, heard, malformed }).toEqual({ asked: 1, heard: [1n, 3n, 4n], malformed: [] })
})

test('a base that is of another process or no base is not taken', async () => {
  const packer = new StatePacker()
  packer.pack(state(porch, 1n, { status: linksAt(1) }))
  const changes = packer.pack(state(porch, 2n, { status: linksAt(2) }))
  for (const answer of [changes, new StatePacker().pack(state(porch, 1n, { incarnation: 6n })), undefined]) {
    const { mesh, heard } = open({ fetchBase: async () => answer })
    mesh.pass(porch, porch, encoded(changes))
    await new Promise(setImmediate)
    expect(heard).not.toContain(2n)
  }
})

test('what is none, is longer than it says, or is of somebody else is malformed', () => {
  const { mesh, heard, malformed } = open()
  const honest = new StatePacker().pack(state(porch, 1n, { status: linksAt(1) }))
  mesh.pass(porch, porch, new Uint8Array([255]))
  mesh.pass(porch, porch, encoded({ ...honest, sequence: 2n }))
  mesh.pass(porch, porch, encoded({ ...honest, sequence: 3n, bytes: honest.bytes - 1n }))
  mesh.pass(porch, porch, encoded({ ...honest, sequence: 4n, packed: new Uint8Array([1, 2, 3]) }))
  mesh.pass(mallory, mallory, encoded(honest))
  expect({ heard, malformed }).toEqual({ heard: [], malformed: [porch, porch, porch, porch, mallory] })
})

test('what is unpacked is paid for by what it becomes, not by what it takes on its way', () => {
  const { mesh, named } = open()
  const packed = new StatePacker().pack(state(porch, 1n, { status: 'x'.repeat(900_000) }))
  expect(packed.packed.length).toBeLessThan(2000)
  for (let i = 1; i <= 6; i++) mesh.pass(porch, porch, stateOf(porch, BigInt(i), { status: 'x'.repeat(900_000) }))
  expect([...named]).toEqual([porch])
})

test('what is answered when a base is asked for is paid for as states are', async () => {
  const long = { status: 'x'.repeat(900_000) }
  const packer = new StatePacker()
  packer.pack(state(porch, 1n, { status: linksAt(1) }))
  let asked = 0n
  const fetchBase = async (): Promise<PackedState> => new StatePacker().pack(state(porch, 100n + ++asked, long))
  const { mesh, heard, named } = open({ fetchBase })
  for (let i = 2; i < 40; i++) {
    mesh.pass(porch, porch, encoded(packer.pack(state(porch, BigInt(i), { status: linksAt(i % 30) }))))
    await new Promise(setImmediate)
  }
  expect(asked).toBeGreaterThan(10n)
  expect(heard.length).toBeLessThanOrEqual(PEER_BUDGETS.stateBytes.burst / long.status.length)
  expect([...named]).toEqual([porch])
})

test('of an author that is not here nothing is unpacked; once it is, what it said counts, and its base is asked for', async () => {
  const packer = new StatePacker()
  const [base, changes] = [1, 2].map(time => packer.pack(state(porch, BigInt(time), { status: linksAt(time) })))
  const here = new Set<DeviceId>()
  const { gossip, mesh, heard, malformed } = open({
    lifeOf: peer => (here.has(peer) ? 0n : undefined),
    fetchBase: async () => base
  })
  mesh.pass(mallory, mallory, encoded({ ...base!, packed: new Uint8Array([1, 2, 3]) }))
  mesh.pass(mallory, porch, encoded(changes!))
  expect({ heard, malformed }).toEqual({ heard: [], malformed: [] })
  here.add(porch)
  gossip.admit(porch)
  await vi.waitFor(() => expect(heard).toEqual([1n, 2n]))
})

test('what has changed is not taken against the base of a copy of the device', async () => {
  const copy = new StatePacker().pack(state(porch, 1n, { status: linksAt(5), life: 12n }))
  const packer = new StatePacker()
  const base = packer.pack(state(porch, 1n, { status: linksAt(1), life: 11n }))
  const { mesh, heard, malformed } = open({ life: 11n, fetchBase: async () => base })
  mesh.pass(mallory, porch, encoded(copy))
  mesh.pass(porch, porch, encoded(packer.pack(state(porch, 2n, { status: linksAt(2), life: 11n }))))
  await vi.waitFor(() => expect(heard.at(-1)).toBe(2n))
  expect(malformed).toEqual([])
})
