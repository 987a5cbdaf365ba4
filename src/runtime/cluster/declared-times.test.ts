import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type BlockHash, blockHash, deviceId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { createWatchedLeader } from '../../testing/watched-leader.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Engine } from '../ports/engine.ts'
import { ClusterView } from './cluster-view.ts'
import { LocalBlocks } from './local-blocks.ts'
import { fromWire, manifestId, toWire } from './manifest-codec.ts'

const [A, B] = [deviceId('a'), deviceId('b')]

const manifestOf = (pinned: boolean): ModelManifest => {
  const facts = {
    blocks: [1, 2].map(k => ({ sha256: blockHash(`${k}`.repeat(64)), bytes: bytes(1), flops: 1, work: seconds(k) })),
    activations: [1, 1, 1].map(size => ({ bytes: bytes(size), tensors: [] })),
    inputs: [],
    outputs: [],
    ...(pinned ? { pinned } : {})
  }
  return { id: manifestId(facts), name: 'net', sha256: 'f'.repeat(64), ...facts }
}
const NET = manifestOf(true)

/** What B says: at half speed, with its own times, and that it carries block 1, which takes three times as long by now. */
const stateOfB = (carried: boolean) =>
  create(DeviceStateSchema, {
    ...{ device: B, sequence: 1n, speed: 0.5, canPlan: false },
    models: [{ model: NET.id, blocks: carried ? [{ block: 1, seconds: 12 }] : [], times: [3, 2] }]
  })

test('that a first block is pinned travels with the model, and makes it another model', () => {
  expect(fromWire(toWire(NET))).toEqual(NET)
  expect(fromWire(toWire(manifestOf(false)))).toEqual(manifestOf(false))
  expect(manifestOf(false).id).not.toBe(NET.id)
  expect(() => fromWire({ ...toWire(NET), pinned: false })).toThrow('its id is not that of its contents')
})

test('a device believes what it is told of its own blocks, and what others say of theirs, carried or not', () => {
  const view = new ClusterView(A, 1, () => [5, 6].map(seconds))
  view.joined(B)
  view.addManifest(NET)
  expect([0, 1].map(k => view.world.blockTime(0, 0, k))).toEqual([5, 6])
  expect(view.world.isPinned(0, 0)).toBe(true)
  view.heard(B, stateOfB(true))
  expect([0, 1].map(k => view.world.blockTime(1, 0, k))).toEqual([6, 12])
})

test('times that are no times, or not one for each block, are not believed', () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  view.addManifest(NET)
  for (const [i, times] of [[1], [Number.NaN, -1], [0, Number.POSITIVE_INFINITY]].entries())
    view.heard(
      B,
      create(DeviceStateSchema, { device: B, sequence: BigInt(i + 1), speed: 0.5, models: [{ model: NET.id, times }] })
    )
  expect([0, 1].map(k => view.world.blockTime(1, 0, k))).toEqual([2, 4])
})

test('the planner plans with declared times, slower by as much as the blocks that ran', async () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  view.addManifest(NET)
  view.heard(A, create(DeviceStateSchema, { device: A, sequence: 1n, speed: 1, canPlan: true }))
  view.heard(B, stateOfB(true))
  const { clock, planned, tick } = createWatchedLeader(view)
  tick()
  await clock.advance(seconds(1))
  tick()
  const { devices, models } = planned[0]!
  expect(devices.map(({ speed }) => speed)).toEqual([1, 2 / 12])
  expect(models[0]).toMatchObject({ pinned: true, times: [undefined, [18, 12]] })
})

test('a block is loaded with the time that is declared for it here, or else its work', async () => {
  const declared: (number | undefined)[] = []
  const engine = {
    load: async (_: BlockHash, __: string, work?: number) => {
      declared.push(work)
      return { inputs: [], outputs: [] }
    },
    measure: async () => seconds(1)
  } as unknown as Engine
  await new LocalBlocks(engine, true, new Map([['net', [7, 8].map(seconds)]])).load(NET, 1, 'f')
  await new LocalBlocks(engine, true, new Map([['other', [7, 8].map(seconds)]])).load(NET, 1, 'f')
  await new LocalBlocks(engine).load(NET, 1, 'f')
  expect(declared).toEqual([8, 2, undefined])
})

test('times that are not one for each block do not count, and that is said; for an own model they are refused', async () => {
  const declared: (number | undefined)[] = []
  const engine = {
    load: async (_: BlockHash, __: string, work?: number) => {
      declared.push(work)
      return { inputs: [], outputs: [] }
    },
    measure: async () => seconds(3)
  } as unknown as Engine
  const wrong = new LocalBlocks(engine, false, new Map([['net', [seconds(7)]]]))
  expect((await wrong.load(NET, 1, 'f')).time).toBe(3)
  expect(declared).toEqual([undefined])
  expect(wrong.misdeclared([])).toEqual([])
  expect(wrong.misdeclared([NET])).toEqual(['times net: 1 time for 2 blocks; they take what is measured'])
  expect(() => wrong.requireDeclared(NET)).toThrow(UserError)
  expect(() => wrong.requireDeclared(NET)).toThrow('times net: 1 time for 2 blocks; give one for each')
})

test('times of a name that no model has are said once there are models; right ones are not', () => {
  const typo = new LocalBlocks({} as Engine, false, new Map([['nat', [7, 8].map(seconds)]]))
  expect(typo.misdeclared([])).toEqual([])
  expect(typo.misdeclared([NET])).toEqual(['times nat: no device has a model of that name (there is net)'])
  expect(() => typo.requireDeclared(NET)).not.toThrow()
  const right = new LocalBlocks({} as Engine, false, new Map([['net', [7, 8].map(seconds)]]))
  expect(right.misdeclared([NET])).toEqual([])
})
