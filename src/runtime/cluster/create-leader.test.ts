import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type BlockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { parseScenario } from '../../core/scenario.ts'
import { bytes, seconds } from '../../core/units.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { problemOfScenario } from '../../planner/problem-of-scenario.ts'
import { createWatchedLeader } from '../../testing/watched-leader.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { sourceToWire } from './source-codec.ts'

const A = deviceId('a')
const NET: ModelManifest = {
  ...{ id: modelId('1'), name: 'net', sha256: '1', inputs: [], outputs: [] },
  blocks: [{ sha256: 'b' as BlockHash, bytes: bytes(1), flops: 1, work: seconds(1) }],
  activations: [bytes(1), bytes(1)].map(size => ({ bytes: size, tensors: [] }))
}

test('a running cluster is planned for the demands that its scenario has', async () => {
  const scenario = parseScenario(
    {
      devices: { a: {} },
      models: { net: { blocks: [{ work: '1s' }], activations: ['1B', '1B'] } },
      sources: [
        { name: 'cam', device: 'a', model: 'net' },
        { name: 'door', device: 'a', model: 'net', arrivals: { poisson: '5/s' } },
        { name: 'gate', device: 'a', model: 'net', arrivals: { every: '100ms' } }
      ]
    },
    'x.yaml'
  )
  const view = new ClusterView(A, 1)
  view.addManifest(NET)
  const sources = scenario.sources.map(({ arrivals }) => sourceToWire('net', arrivals))
  view.heard(A, create(DeviceStateSchema, { device: A, sequence: 1n, speed: 1, canPlan: true, sources }))
  const { clock, planned, tick } = createWatchedLeader(view)
  tick()
  await clock.advance(seconds(1))
  tick()
  const demands = ({ sources }: Pick<PlacementProblem, 'sources'>): number[] => sources.map(({ demand }) => demand)
  expect(demands(planned[0]!)).toEqual([1, 5, 10])
  expect(demands(planned[0]!)).toEqual(demands(problemOfScenario(scenario, [])))
})

test('who can plan and who stays are two facts: the first that does both plans, for those that stay', async () => {
  const [first, second, third, self] = ['a', 'b', 'c', 'd'].map(deviceId) as [DeviceId, DeviceId, DeviceId, DeviceId]
  const view = new ClusterView(self, 1)
  view.addManifest(NET)
  let sequence = 0n
  const hear = (device: DeviceId, said: { readonly canPlan: boolean; readonly leaving: boolean }): void => {
    view.joined(device)
    view.heard(device, create(DeviceStateSchema, { device, sequence: ++sequence, speed: 1, ...said }))
  }
  hear(self, { canPlan: true, leaving: false })
  hear(first, { canPlan: false, leaving: false })
  hear(second, { canPlan: true, leaving: true })
  const { clock, leader, planned: problems, tick } = createWatchedLeader(view)
  const planned = (): DeviceId[][] => problems.map(({ devices }) => devices.map(({ id }) => id))
  // A newcomer's links are waited for, a second at most.
  const wait = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      tick()
      await clock.advance(seconds(0.1))
    }
  }
  await wait()
  expect([leader.isHere(), planned()]).toEqual([true, [[first, self]]])
  hear(third, { canPlan: true, leaving: false })
  await wait()
  expect([leader.isHere(), planned().length]).toEqual([false, 1])
  hear(third, { canPlan: true, leaving: true })
  await wait()
  expect([leader.isHere(), planned().at(-1)]).toEqual([true, [first, self]])
})
