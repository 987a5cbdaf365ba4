import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { blockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { bytes, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { Drain } from './drain.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [DeviceId, DeviceId]
const net = modelId('net')

/** Device a, which is to go, with another one that has loaded some placement. */
const open = () => {
  const clock = createManualClock()
  const view = new ClusterView(A, 1)
  const activation = { bytes: bytes(4), tensors: [] }
  view.addManifest({
    ...{ id: net, name: 'net', sha256: '', inputs: [], outputs: [], activations: [activation, activation] },
    blocks: [{ sha256: blockHash('0'), bytes: bytes(1), flops: 1, work: seconds(1) }]
  })
  view.joined(B)
  let sequence = 0n
  const loaded = (readyEpoch: bigint): void =>
    void view.heard(B, create(DeviceStateSchema, { device: B, sequence: ++sequence, speed: 1, readyEpoch }))
  loaded(1n)
  const world = { placement: placed(1, A, B), said: [] as string[], told: 0, stopped: 0 }
  const drain = new Drain({
    ...{ clock, view, placement: () => world.placement, say: text => world.said.push(text) },
    changed: () => world.told++,
    stop: () => world.stopped++
  })
  return { clock, loaded, world, drain }
}

const placed = (epoch: number, ...devices: readonly DeviceId[]): NumberedPlacement => ({
  ...{ epoch, planner: B, unplaced: [] },
  placement: new Map(devices.map(device => [device, new Map([[net, [0]]])]))
})

test('the others are told at once; it stops when they have loaded a placement without it, and not before', async () => {
  const { clock, loaded, world, drain } = open()
  const over = drain.begin('shed', new AbortController().signal)
  expect(drain.isLeaving).toBe(true)
  expect(world).toMatchObject({ told: 1, stopped: 0 })
  await clock.advance(seconds(1))
  world.placement = placed(2, B)
  await clock.advance(seconds(1))
  expect(world.stopped).toBe(0)
  loaded(2n)
  await clock.advance(seconds(1))
  expect(await over).toBe('')
  expect(world.stopped).toBe(1)
  expect(drain.outcome).toBe('drained: its blocks are with others; stopped')
  expect(world.said).toEqual(['shed drains this device: others take over what it carries, then it stops'])
})

test('who cannot go on without it is not kept waiting for ever, and a second asker changes nothing', async () => {
  const { clock, world, drain } = open()
  const over = drain.begin('shed', new AbortController().signal)
  const again = drain.begin('attic', new AbortController().signal)
  await clock.advance(seconds(29))
  expect(world.stopped).toBe(0)
  await clock.advance(seconds(2))
  expect([await over, await again]).toEqual(Array(2).fill('others have not taken over within 30 s'))
  expect(world).toMatchObject({ stopped: 1, told: 1 })
  expect(world.said.at(-1)).toBe('others have not taken over within 30 s; it stops all the same')
})

test('one that has nothing to hand over answers whoever asked before it stops', async () => {
  const { clock, world, drain } = open()
  world.placement = placed(1, B)
  expect(await drain.begin('shed', new AbortController().signal)).toBe('')
  expect(world.stopped).toBe(0)
  await clock.advance(seconds(1))
  expect(world.stopped).toBe(1)
})
