import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { type CarriedModelSchema, type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { createElection } from './create-election.ts'

const [A, B, C] = ['a', 'b', 'c'].map(deviceId) as [DeviceId, DeviceId, DeviceId]

const resource = (view: ClusterView, from: number, to: number): number | undefined =>
  view.world.link(from, to)?.resource

test('links of one medium are one resource, whoever tells of them; links of their own are not', () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  view.joined(C)
  view.setLink(A, B, 1e6, 0.003, 'air')
  view.setLink(A, C, 1e6, 0.003)
  const links = [
    { to: A, rate: 1e6, latency: 0.003, medium: 'air' },
    { to: C, rate: 1e6, latency: 0.003, medium: 'other air' }
  ]
  view.heard(B, create(DeviceStateSchema, { device: B, name: 'b', sequence: 1n, speed: 1, links }))
  expect(resource(view, 1, 0)).toBe(resource(view, 0, 1))
  expect(new Set([resource(view, 0, 1), resource(view, 0, 2), resource(view, 1, 2)]).size).toBe(3)
  expect(view.mediumOf(resource(view, 0, 1)!)).toBe('air')
  expect(view.mediumOf(resource(view, 0, 2)!)).toBe('')
  view.setLink(A, B, 2e6, 0.003, 'air')
  expect(resource(view, 1, 0)).toBe(resource(view, 0, 1))
})

const net = modelId('net')
const spec = { name: 'x', type: 'float32' as const, shape: [1] }
const manifest: ModelManifest = {
  id: net,
  name: 'net',
  sha256: '',
  blocks: [0, 1].map(k => ({ sha256: blockHash(`${k}`), bytes: bytes(1), flops: 1, work: seconds(1) })),
  activations: [0, 1, 2].map(() => ({ bytes: bytes(4), tensors: [spec] })),
  inputs: [spec],
  outputs: ['x']
}
const stateOf = (device: DeviceId, incarnation: bigint, life: bigint, blocks: readonly number[]) =>
  create(DeviceStateSchema, {
    ...{ device, name: device, incarnation, sequence: 1n, life, speed: 1 },
    models: [{ model: net, owner: false, blocks: blocks.map(block => ({ block, seconds: 0.5 })) }]
  })
const open = (): ClusterView => {
  const view = new ClusterView(A, 1)
  view.addManifest(manifest)
  view.joined(B, 11n)
  view.heard(B, stateOf(B, 1n, 11n, [0, 1]))
  return view
}
const carried = (view: ClusterView, n = 1): number[] => [0, 1].filter(k => view.world.carries(n, 0, k))

test('a device is known by what it says itself again, when a copy of it with larger numbers was left out', () => {
  const view = open()
  view.joined(B, 12n)
  view.heard(B, create(DeviceStateSchema, { ...stateOf(B, 2n, 12n, [0]), name: 'copy' }))
  view.joined(B, 11n)
  view.heard(B, create(DeviceStateSchema, { ...stateOf(B, 1n, 11n, [1]), sequence: 2n }))
  expect([view.nameOf(B), carried(view)]).toEqual([B, [1]])
})

test('what a device carried in its former life is not believed of the process that takes its place', () => {
  const view = open()
  expect(carried(view)).toEqual([0, 1])
  view.left(B)
  expect(view.joined(B, 12n)).toBe(true)
  expect(carried(view)).toEqual([])
  expect(view.world.blockTime(1, 0, 0)).toBe(1) // measured by the other process: 0.5
  expect(view.isIntroduced(B)).toBe(false)
  expect(view.members()).toEqual([])
  view.heard(B, create(DeviceStateSchema, { ...stateOf(B, 1n, 11n, [0, 1]), sequence: 9n })) // gossip that comes late
  expect(carried(view)).toEqual([])
  view.heard(B, stateOf(B, 2n, 12n, [1]))
  expect(carried(view)).toEqual([1])
  expect(view.members().map(({ device }) => device)).toEqual([B])
})

test('a device that was silent and comes back in the same life carries what it carried', () => {
  const view = open()
  view.left(B)
  expect(carried(view)).toEqual([])
  expect(view.joined(B, 11n)).toBe(false)
  expect(carried(view)).toEqual([0, 1])
})

test('a state of the next life that comes before its connection ends the former one, and counts once that is there', () => {
  const view = open()
  view.heard(B, stateOf(B, 2n, 12n, [1]))
  expect(carried(view)).toEqual([])
  view.left(B)
  view.joined(B, 12n)
  expect(carried(view)).toEqual([1])
})

test('a device that is set aside is used for what nobody else has, and only for that', () => {
  const view = open()
  view.joined(C, 21n)
  view.heard(C, stateOf(C, 1n, 21n, [0]))
  view.distrust.hear(A, [{ device: B, model: net, until: seconds(10), because: 'memory' }], seconds(0))
  view.review()
  expect([carried(view, 1), carried(view, 2)]).toEqual([[1], [0]])
  view.left(C)
  expect(carried(view, 1)).toEqual([0, 1])
  view.joined(C, 21n)
  expect(carried(view, 1)).toEqual([1])
  view.distrust.expire(seconds(10))
  view.review()
  expect(carried(view, 1)).toEqual([0, 1])
})

test('a block whose task was refused is not believed for a moment, also where nobody else has it', () => {
  const view = open()
  view.distrust.refused(B, net, 1, seconds(0))
  view.review()
  expect(carried(view)).toEqual([0])
  view.distrust.expire(seconds(0.25))
  view.review()
  expect(carried(view)).toEqual([0, 1])
})

test('of a model that has left nobody is believed to carry anything, whatever is reviewed, until its owner is back', () => {
  const view = open()
  view.offer(net, 0, true)
  view.dismiss(net, seconds(1))
  view.review()
  expect([carried(view), carried(view, 0), view.isOffered(net, 0)]).toEqual([[], [], false])
  view.heard(B, create(DeviceStateSchema, { ...stateOf(B, 1n, 11n, [0]), sequence: 2n }))
  expect(carried(view)).toEqual([]) // B has not heard yet
  const models = [{ model: net, owner: true, name: 'net', blocks: [{ block: 1, seconds: 0.5 }] }]
  view.heard(B, create(DeviceStateSchema, { device: B, incarnation: 1n, life: 11n, sequence: 3n, speed: 1, models }))
  expect(carried(view)).toEqual([1])
  view.left(B)
  view.joined(B, 12n)
  expect(view.models.owners(net)).toEqual([]) // its former life owned it
})

test('devices of one name are told apart while both are there, and by nothing but their names otherwise', () => {
  const [self, other, third] = ['12D3KooWself0001', '12D3KooWother002', '12D3KooWthird003'].map(deviceId)
  const view = new ClusterView(self!, 1)
  const state = (device: string, name: string) => create(DeviceStateSchema, { device, name, sequence: 1n, speed: 1 })
  view.heard(self!, state(self!, 'shed'))
  for (const [device, name] of [
    [other!, 'shed'],
    [third!, 'porch']
  ] as const) {
    view.joined(device)
    view.heard(device, state(device, name))
  }
  const names = () => [self!, other!, third!].map(id => view.nameOf(id))
  expect(names()).toEqual(['shed#self0001', 'shed#other002', 'porch'])
  expect([view.namesakes(self!), view.namesakes(third!)]).toEqual([[other], []])
  view.left(other!)
  expect(names()).toEqual(['shed', 'shed#other002', 'porch'])
})

test('who came only to look is not planned for; a guest that brings a model, or a device without room, is', () => {
  const view = open()
  const say = (
    device: DeviceId,
    memory: bigint,
    sequence = 2n,
    models: MessageInitShape<typeof CarriedModelSchema>[] = []
  ) => void view.heard(device, create(DeviceStateSchema, { device, name: device, sequence, speed: 1, memory, models }))
  const planned = (): string[] => view.planned().map(({ device }) => device)
  view.joined(C)
  say(C, 0n)
  expect(planned()).toEqual([B, C])
  view.addGuest(C)
  expect(planned()).toEqual([B])
  expect(view.staying().map(({ device }) => device)).toEqual([B, C])
  say(C, 1n, 3n)
  expect(planned()).toEqual([B])
  say(C, 1n, 4n, [{ model: 'brought', owner: true, name: 'brought', blocks: [{ block: 0, seconds: 1 }] }])
  expect(planned()).toEqual([B, C])
  expect(view.state(C)).toMatchObject({ memory: 0n, models: [{ model: 'brought', owner: true, blocks: [] }] })
})

test('guests do not vote, plan, carry blocks or speak against others, whatever they said before it was known that they are', () => {
  const view = open()
  view.addManifest(manifest)
  const plea = create(DeviceStateSchema, {
    ...{ canPlan: true, elects: C, follows: C, followsTerm: 7 },
    setAside: [{ device: B, model: net, seconds: 600, because: 'it is mine' }]
  })
  const says = (sequence: bigint): DeviceState => {
    const { device, name, incarnation, life, speed, models } = stateOf(C, 1n, 1n, [0, 1])
    return { ...plea, ...{ device, name, incarnation, life, speed, models, sequence } }
  }
  view.heard(C, says(1n))
  view.addGuest(C)
  view.joined(C, 1n)
  const isHarmless = (): void =>
    expect(view.state(C)).toMatchObject({ canPlan: false, elects: '', follows: '', setAside: [], models: [] })
  isHarmless()
  view.heard(C, says(2n))
  isHarmless()
  expect(view.state(C)).toMatchObject({ canPlan: false, elects: '', follows: '', setAside: [], models: [] })
  const carried = [0, 1].map(block => view.isOfferedBy(C, net, block))
  expect(carried).toEqual([false, false])
  const ports = { clock: createManualClock(), view, current: () => undefined, say: () => {} }
  const election = createElection(ports)
  election.tick()
  expect([election.elects, election.isElected(C)]).not.toContain(C)
  expect(view.electorate().map(({ device }) => device)).toEqual([B])
})
