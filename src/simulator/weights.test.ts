import { expect, test } from 'vitest'
import { createArrivals } from '../core/arrivals.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulatedSource } from './simulation-input.ts'

/** Two equal devices with a source each, and one twice as fast. It can serve 20 data a second. */
const run = (sources: readonly Pick<SimulatedSource, 'count' | 'window' | 'weight' | 'availableAt'>[]) =>
  simulate({
    devices: [0.5, 0.5, 1].map((speed, n) => ({ name: `d${n}`, speed })),
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to =>
        from === to ? [] : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(0.002) }]
      )
    ),
    models: [
      {
        name: 'm',
        work: [0.02, 0.03, 0.025, 0.025].map(seconds),
        activations: [300e3, 200e3, 150e3, 100e3, 4e3].map(bytes)
      }
    ],
    sources: sources.map((source, device) => ({ name: `s${device}`, device, model: 0, ...source })),
    carries: () => true,
    policy: POLICIES.confluence
  })

test('beyond capacity, rates follow weights', () => {
  const { sources, makespan } = run([
    { count: 500, window: 32, weight: 1, availableAt: undefined },
    { count: 1500, window: 32, weight: 3, availableAt: undefined }
  ])
  const ends = sources.map(({ results }) => results.at(-1)!.completedAt / makespan)
  for (const end of ends) expect(end).toBeGreaterThan(0.95) // 1 to 3 from first to last
})

test('under capacity, a heavier source waits less', () => {
  const arrivals = (name: string) => createArrivals({ kind: 'poisson', rate: 7.5 }, createRng(name))
  const { sources } = run([
    { count: 1000, window: 300, weight: 1, availableAt: arrivals('light') },
    { count: 1000, window: 300, weight: 3, availableAt: arrivals('heavy') }
  ])
  const [light, heavy] = sources.map(
    ({ results }) => results.reduce((sum, r) => sum + r.completedAt - r.availableAt, 0) / results.length
  )
  expect(heavy!).toBeLessThan(0.9 * light!)
})

test('beyond capacity, sources of one weight get the same, however unequal their ways are', () => {
  const slow = { rate: bytesPerSecond(3e6), latency: seconds(0.005) }
  const { sources, makespan } = simulate({
    devices: [0.2, 1, 1].map((speed, n) => ({ name: `d${n}`, speed })),
    // The weak device is behind two links; the strong ones have sources of their own.
    links: [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1]
    ].map(([from, to]) => ({ from: from!, to: to!, ...slow })),
    models: [
      {
        name: 'm',
        work: [0.02, 0.03, 0.025, 0.025].map(seconds),
        activations: [100e3, 80e3, 60e3, 40e3, 4e3].map(bytes)
      }
    ],
    sources: [0, 1, 2].map(device => ({
      name: `s${device}`,
      device,
      model: 0,
      count: 600,
      window: 32,
      weight: 1,
      availableAt: undefined
    })),
    carries: () => true,
    policy: POLICIES.confluence
  })
  for (const { results } of sources) expect(results.at(-1)!.completedAt / makespan).toBeGreaterThan(0.93)
})
