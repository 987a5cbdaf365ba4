import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { parseScenario } from '../core/scenario.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { loadSolver } from '../testing/load-solver.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { unloadedTimes } from './plan.ts'
import { problemOfScenario } from './problem-of-scenario.ts'
import { proportionalPlacement } from './proportional-placement.ts'

interface Network {
  readonly speeds: readonly number[]
  readonly lanes: readonly number[]
  readonly rate: number
}

const networks: fc.Arbitrary<Network> = fc.integer({ min: 1, max: 5 }).chain(count =>
  fc.record({
    speeds: fc.array(fc.double({ min: 0.2, max: 3, noNaN: true }), { minLength: count, maxLength: count }),
    lanes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: count, maxLength: count }),
    rate: fc.double({ min: 1e4, max: 1e8, noNaN: true })
  })
)

const problemOf = (
  { speeds, rate }: Network,
  lanes: readonly (number | undefined)[],
  factor: readonly number[]
): CapacityProblem => ({
  devices: speeds.map((speed, n) => ({
    ...{ name: `${n}`, speed: speed * factor[n]!, memory: bytes(Number.POSITIVE_INFINITY) },
    lanes: lanes[n]
  })),
  links: speeds.flatMap((_, from) =>
    speeds.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(rate), latency: seconds(0.002) }]))
  ),
  models: [
    {
      ...{ name: 'm', work: [0.05, 0.02, 0.03].map(seconds), weights: [1, 1, 1].map(bytes) },
      activations: [1e5, 1e4, 1e4, 1e2].map(bytes)
    }
  ],
  sources: [{ name: 's', device: 0, model: 0, demand: 1 }]
})

test('a device of n lanes can do what one can that is n times as fast, and a datum is no sooner done', async () => {
  const solve = await loadSolver()
  const scaleOf = (problem: CapacityProblem): number => {
    const outcome = capacityBound(problem, () => true, solve)
    return outcome.kind === 'bound' ? outcome.bound.scale : Number.NaN
  }
  fc.assert(
    fc.property(networks, network => {
      const ones = network.speeds.map(() => 1)
      const manyLanes = problemOf(network, network.lanes, ones)
      const scale = scaleOf(manyLanes)
      expect(scale / scaleOf(problemOf(network, ones, network.lanes))).toBeCloseTo(1, 4)
      const alone = problemOf(network, ones, ones)
      expect(unloadedTimes(manyLanes, () => true)[0]).toBeCloseTo(unloadedTimes(alone, () => true)[0]!, 9)
    }),
    { numRuns: 60 }
  )
})

test('two lanes are twice the bound of a device by itself, by its speed and by what was measured', async () => {
  const solve = await loadSolver()
  const alone = (lanes: number | undefined, times?: CapacityProblem['models'][number]['times']): number => {
    const problem = problemOf({ speeds: [2], lanes: [], rate: 1e6 }, [lanes], [1])
    const outcome = capacityBound(
      { ...problem, models: problem.models.map(model => ({ ...model, times })) },
      () => true,
      solve
    )
    return outcome.kind === 'bound' ? outcome.bound.scale : Number.NaN
  }
  expect(alone(undefined)).toBeCloseTo(20, 6)
  expect(alone(2)).toBeCloseTo(40, 6)
  expect(alone(2, [[0.1, 0.05, 0.1].map(seconds)])).toBeCloseTo(8, 6)
})

test('each lane holds its own copy: of the memory there is as much less for blocks', () => {
  const { devices } = problemOfScenario(
    parseScenario(
      {
        devices: { one: { memory: '120B' }, two: { memory: '120B', lanes: 2 } },
        models: { m: { blocks: [{ work: '1s', weights: '30B' }], activations: ['1B', '1B'] } },
        sources: [{ name: 's', device: 'one', model: 'm' }]
      },
      'test'
    ),
    []
  )
  expect(devices).toMatchObject([{ memory: 120 }, { memory: 60, lanes: 2 }])
  const { placement } = proportionalPlacement({
    devices: devices.map(({ name, ...device }) => ({ id: deviceId(name), ...device })),
    models: [
      {
        id: modelId('m'),
        blocks: [30, 30, 30, 30].map(size => ({ bytes: bytes(size), work: seconds(1) })),
        activations: [1, 1, 1, 1, 1].map(bytes)
      }
    ],
    ...{ links: [], sources: [], wholeModels: false, carried: new Map() }
  })
  // Twice as fast together, but with room for half.
  expect(placement.get(deviceId('two'))?.get(modelId('m'))).toHaveLength(2)
  expect(placement.get(deviceId('one'))?.get(modelId('m'))).toHaveLength(4)
})
