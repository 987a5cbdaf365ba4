import { describe, expect, test } from 'vitest'
import { createArrivals } from '../core/arrivals.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'

const LOAD = 0.8

/** One device that takes a second for a datum, in equal blocks; Poisson arrivals at 0.8 a second. */
const oneDevice = (policy: PolicyName, blocks: number, seed: string, count: number) => {
  const availableAt = createArrivals({ kind: 'poisson', rate: LOAD }, createRng(seed))
  const { sources } = simulate({
    devices: [{ name: 'a', speed: 1 }],
    links: [],
    models: [
      {
        name: 'm',
        work: Array.from({ length: blocks }, () => seconds(1 / blocks)),
        activations: Array.from({ length: blocks + 1 }, () => bytes(1000))
      }
    ],
    sources: [{ name: 's', device: 0, model: 0, weight: 1, count, window: 100_000, availableAt }],
    carries: () => true,
    policy: POLICIES[policy]
  })
  return sources[0]!.results
}

describe.each(POLICY_NAMES)('%s on one device', policy => {
  test.each([1, 3, 10])('takes as long as M/D/1 says, with a model of %i blocks', blocks => {
    const results = oneDevice(policy, blocks, 'md1-8', 4_000)
    const times = results.map(({ availableAt, completedAt }) => completedAt - availableAt)
    const mean = times.reduce((a, b) => a + b, 0) / times.length
    const expected = 1 + LOAD / (2 * (1 - LOAD)) // Pollaczek and Khinchine, service time 1 without variance
    expect(mean / expected).toBeGreaterThan(0.95)
    expect(mean / expected).toBeLessThan(1.05)
  })

  test('finishes each datum before the next, in the order of arrival', () => {
    const results = oneDevice(policy, 10, 'lindley', 500)
    let free = 0
    const expected = results.map(({ availableAt }, datum) => {
      free = Math.max(free, availableAt) + 1 // Lindley's recursion
      return { datum, at: expect.closeTo(free, 6) }
    })
    expect(results.map(({ datum, completedAt }) => ({ datum, at: completedAt }))).toEqual(expected)
  })
})

/** Those that can part a model. */
const PARTING = POLICY_NAMES.filter(name => name !== 'local' && name !== 'ddi')

describe.each(PARTING)('%s on a pipeline of two stages', policy => {
  test.each([2, 4, 8, 32])("reaches its bottleneck's rate with a window of %i", window => {
    // Five blocks of 20 ms on each of two devices; what crosses is too small to matter.
    const count = 400
    const { makespan } = simulate({
      devices: [
        { name: 'a', speed: 1 },
        { name: 'b', speed: 1 }
      ],
      links: [
        { from: 0, to: 1, rate: bytesPerSecond(1e9), latency: seconds(0) },
        { from: 1, to: 0, rate: bytesPerSecond(1e9), latency: seconds(0) }
      ],
      models: [
        {
          name: 'm',
          work: Array.from({ length: 10 }, () => seconds(0.02)),
          activations: Array.from({ length: 11 }, () => bytes(1000))
        }
      ],
      sources: [{ name: 's', device: 0, model: 0, weight: 1, count, window, availableAt: undefined }],
      carries: (device, _, block) => (device === 0 ? block < 5 : block >= 5),
      policy: POLICIES[policy]
    })
    expect(count / makespan).toBeGreaterThan(0.99 / 0.1)
    expect(count / makespan).toBeLessThanOrEqual(1 / 0.1)
  })
})

test.each(POLICY_NAMES)('%s: data of two sources that arrive at one instant are not served in turns', policy => {
  const { sources } = simulate({
    devices: [{ name: 'a', speed: 1 }],
    links: [],
    models: [
      {
        name: 'm',
        work: Array.from({ length: 10 }, () => seconds(0.1)),
        activations: Array.from({ length: 11 }, () => bytes(0))
      }
    ],
    sources: ['s', 't'].map(name => ({
      ...{ name, device: 0, model: 0, weight: 1, count: 1, window: 1 },
      availableAt: () => seconds(0)
    })),
    carries: () => true,
    policy: POLICIES[policy]
  })
  expect(sources.map(({ results }) => results[0]!.completedAt)).toEqual([expect.closeTo(1, 9), expect.closeTo(2, 9)])
})
