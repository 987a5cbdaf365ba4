import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createArrivals } from '../core/arrivals.ts'
import { batchCurve } from '../core/batch-curve.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulationInput } from './simulation-input.ts'

const curve = batchCurve([
  { size: 2, times: 1.4 },
  { size: 8, times: 3.2 }
])!

/** Two devices, of which the second takes several data at once. */
const network = (policy: PolicyName, rate: number | undefined, hasCurve: boolean): SimulationInput => {
  const link = { rate: bytesPerSecond(1e8), latency: seconds(0.001) }
  const blocks = [curve, curve]
  return {
    devices: ['a', 'b'].map(name => ({ name, speed: 1 })),
    links: [
      { from: 0, to: 1, ...link },
      { from: 1, to: 0, ...link }
    ],
    models: [
      {
        name: 'm',
        work: [seconds(0.05), seconds(0.05)],
        activations: [1e4, 1e4, 1e3].map(bytes),
        batch: hasCurve ? [undefined, blocks] : undefined
      }
    ],
    sources: [
      {
        ...{ name: 's', device: 0, model: 0, weight: 1, count: 300, window: 24 },
        availableAt:
          rate === undefined ? undefined : createArrivals({ kind: 'poisson', rate }, createRng(`batches ${rate}`))
      }
    ],
    carries: () => true,
    policy: POLICIES[policy]
  }
}

const rateOf = (input: SimulationInput): number => 300 / simulate(input).makespan

test('a saturated source is served more where data run together, and confluence sends them where they do', () => {
  // The one alone serves 10 a second, the other 10 / 0.4 in full batches.
  expect(rateOf(network('confluence', undefined, false))).toBeLessThan(20.5)
  const { sources, devices, makespan } = simulate(network('confluence', undefined, true))
  expect(sources[0]!.completed).toBe(300)
  expect(300 / makespan).toBeGreaterThan(28)
  for (const { busy } of devices) expect(busy).toBeLessThanOrEqual(makespan + 1e-9)
})

test('each datum comes home once, at every load and under every policy that shares', () => {
  const policies = fc.constantFrom<PolicyName>('confluence', 'ms-mdi', 'ddi', 'backpressure')
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 60 }), (policy, rate) => {
      const { sources, devices, makespan } = simulate(network(policy, rate, true))
      expect([sources[0]!.admitted, sources[0]!.completed]).toEqual([300, 300])
      expect(new Set(sources[0]!.results.map(({ datum }) => datum)).size).toBe(300)
      expect(Math.max(...devices.map(({ busy }) => busy))).toBeLessThanOrEqual(makespan + 1e-9)
    }),
    { numRuns: 20, seed: 3 }
  )
})

const meanTime = (input: SimulationInput): number => {
  const { results } = simulate(input).sources[0]!
  return results.reduce((sum, { availableAt, completedAt }) => sum + completedAt - availableAt, 0) / results.length
}

test.each([4, 12, 18])('at %d data a second nobody waits longer for it, in the mean', rate => {
  expect(meanTime(network('confluence', rate, true))).toBeLessThanOrEqual(
    1.05 * meanTime(network('confluence', rate, false))
  )
})
