import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createArrivals } from '../core/arrivals.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulationInput } from './simulation-input.ts'

interface Case {
  readonly lanes: number
  readonly blocks: number
  readonly rate: number
  readonly seed: number
}

/** One device that takes a second for a datum in each lane, in equal blocks. */
const oneDevice = (policy: PolicyName, { lanes, blocks, rate, seed }: Case, count: number): SimulationInput => ({
  devices: [{ name: 'a', speed: 1, lanes }],
  links: [],
  models: [
    {
      name: 'm',
      work: Array.from({ length: blocks }, () => seconds(1 / blocks)),
      activations: Array.from({ length: blocks + 1 }, () => bytes(1000))
    }
  ],
  sources: [
    {
      ...{ name: 's', device: 0, model: 0, weight: 1, count, window: 100_000 },
      availableAt: createArrivals({ kind: 'poisson', rate }, createRng(`lanes ${seed}`))
    }
  ],
  carries: () => true,
  policy: POLICIES[policy]
})

const cases = fc.record({
  lanes: fc.integer({ min: 1, max: 5 }),
  blocks: fc.constantFrom(1, 3, 7),
  rate: fc.double({ min: 0.2, max: 6, noNaN: true }),
  seed: fc.nat()
})

describe.each(POLICY_NAMES)('%s on a device of several lanes', policy => {
  test('begins each datum in the lane that is free first, in the order of arrival', () => {
    fc.assert(
      fc.property(cases, one => {
        const { sources } = simulate(oneDevice(policy, one, 60))
        // The recursion of Kiefer and Wolfowitz (1955): when each lane is free.
        const free = Array.from({ length: one.lanes }, () => 0)
        const expected = sources[0]!.results
          .toSorted((a, b) => a.datum - b.datum)
          .map(({ availableAt, datum }) => {
            free.sort((a, b) => a - b)
            free[0] = Math.max(free[0]!, availableAt) + 1
            return { datum, at: expect.closeTo(free[0], 6) }
          })
        const results = sources[0]!.results.toSorted((a, b) => a.datum - b.datum)
        expect(results.map(({ datum, completedAt }) => ({ datum, at: completedAt }))).toEqual(expected)
      }),
      { numRuns: 25 }
    )
  })

  test('is busy for as long as its lanes are, together', () => {
    const { devices, makespan } = simulate(oneDevice(policy, { lanes: 4, blocks: 3, rate: 100, seed: 1 }, 400))
    expect(devices[0]!.busy).toBeCloseTo(100, 6)
    expect(devices[0]!.busy).toBeLessThanOrEqual(makespan + 1e-9)
    expect(devices[0]!.tasks).toBe(1200)
  })
})

/** A source at a slow device, beside one of which more is asked: all blocks are everywhere. */
const beside = (
  policy: PolicyName,
  other: { readonly speed: number; readonly lanes?: number },
  rate: number | undefined
): SimulationInput => {
  const link = { rate: bytesPerSecond(1e9), latency: seconds(0.001) }
  return {
    devices: [
      { name: 'porch', speed: 0.5 },
      { name: 'shed', ...other }
    ],
    links: [
      { from: 0, to: 1, ...link },
      { from: 1, to: 0, ...link }
    ],
    models: [{ name: 'm', work: [0.04, 0.03, 0.05].map(seconds), activations: [1e4, 1e4, 1e4, 1e3].map(bytes) }],
    sources: [
      {
        ...{ name: 's', device: 0, model: 0, weight: 1, count: 400, window: 64 },
        availableAt:
          rate === undefined ? undefined : createArrivals({ kind: 'poisson', rate }, createRng(`beside ${rate}`))
      }
    ],
    carries: () => true,
    policy: POLICIES[policy]
  }
}

const meanTime = (input: SimulationInput): number => {
  const { results } = simulate(input).sources[0]!
  return results.reduce((sum, { availableAt, completedAt }) => sum + completedAt - availableAt, 0) / results.length
}

const SHARING: readonly PolicyName[] = ['confluence', 'ms-mdi', 'pa-mdi', 'ddi', 'backpressure']

describe.each(SHARING)('%s beside a device of four lanes', policy => {
  test('serves about as much when saturated as beside one that is four times as fast', () => {
    const { makespan, devices } = simulate(beside(policy, { speed: 1, lanes: 4 }, undefined))
    const { makespan: ofOne } = simulate(beside(policy, { speed: 4 }, undefined))
    expect(ofOne / makespan).toBeGreaterThan(0.95)
    expect(400 / makespan).toBeLessThanOrEqual(4.5 / 0.12)
    for (const { busy } of devices) expect(busy).toBeLessThanOrEqual(makespan + 1e-9)
  })
})

test('an idle network of four slow lanes is as slow as one of them: confluence goes to one that is faster', () => {
  // A datum takes 0.24 s at the source; 0.12 s in a lane of the other, or 0.48 s where its lanes are slow.
  expect(meanTime(beside('confluence', { speed: 1, lanes: 4 }, 0.2))).toBeLessThan(0.13)
  const slow = meanTime(beside('confluence', { speed: 0.25, lanes: 16 }, 0.2))
  expect(slow).toBeLessThan(0.26)
})

test('lanes of one device wait for each other less than devices that are as fast', () => {
  // With data that come at a load of 0.8: a queue for four is shorter than the four queues would be.
  const four = meanTime(beside('confluence', { speed: 1, lanes: 4 }, 26))
  const one = meanTime(beside('confluence', { speed: 1 }, 26 / 4))
  expect(four).toBeLessThan(one)
})
