import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type BlockHash, deviceId, modelId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { parseScenario } from '../../core/scenario.ts'
import { bytes, seconds } from '../../core/units.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { problemOfScenario } from '../../planner/problem-of-scenario.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { PlannerSeat } from './planner-seat.ts'
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
  const clock = createManualClock()
  const planned: PlacementProblem[] = []
  const seat = new PlannerSeat({
    ...{
      clock,
      view,
      guard: new JobGuard({ clock, say: () => {} }),
      wholeModels: false,
      connected: () => [],
      publish: () => {}
    },
    place: async problem => {
      planned.push(problem)
      return { placement: new Map(), unplaced: [] }
    }
  })
  seat.tick(undefined)
  await clock.advance(seconds(1))
  seat.tick(undefined)
  const demands = ({ sources }: Pick<PlacementProblem, 'sources'>): number[] => sources.map(({ demand }) => demand)
  expect(demands(planned[0]!)).toEqual([1, 5, 10])
  expect(demands(planned[0]!)).toEqual(demands(problemOfScenario(scenario, [])))
})
