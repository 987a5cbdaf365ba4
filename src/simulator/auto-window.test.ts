import { expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import type { Window } from '../core/window.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulationOutput } from './simulation-input.ts'

const BLOCKS = [0.02, 0.03, 0.03, 0.02].map(seconds)

/** Three devices, all linked; a saturated source at the first two, with these weights. */
const run = (window: Window, weights: readonly number[], count = 800): SimulationOutput =>
  simulate({
    devices: [0.5, 1, 1.5].map((speed, n) => ({ name: `d${n}`, speed })),
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e7), latency: seconds(0.002) }]))
    ),
    models: [{ name: 'm', work: BLOCKS, activations: [3e5, 2e5, 2e5, 1e5, 1e3].map(bytes) }],
    sources: weights.map((weight, device) => ({
      ...{ name: `s${device}`, device, model: 0, weight, count, window, availableAt: undefined }
    })),
    carries: () => true,
    policy: POLICIES.confluence
  })

const meanTime = ({ sources }: SimulationOutput): number => {
  const times = sources.flatMap(({ results }) => results.map(r => r.completedAt - r.availableAt))
  return times.reduce((a, b) => a + b, 0) / times.length
}

/** Results of each source while all had data, beside the first's. */
const shares = ({ sources }: SimulationOutput): number[] => {
  const end = Math.min(...sources.map(({ results }) => results.at(-1)!.completedAt))
  const counts = sources.map(({ results }) => results.filter(r => r.completedAt <= end).length)
  return counts.map(count => count / counts[0]!)
}

test('a window that finds its measure has the throughput of a large one, and a fraction of its time', () => {
  const [auto, large] = [run('auto', [1]), run(32, [1])]
  expect(auto.makespan / large.makespan).toBeLessThan(1.02)
  expect(meanTime(auto) / meanTime(large)).toBeLessThan(0.4)
})

test('sources whose windows find their measure share by weight', () => {
  expect(shares(run('auto', [1, 1]))[1]).toBeCloseTo(1, 1)
  const [, twice] = shares(run('auto', [1, 2], 2000))
  expect(twice).toBeGreaterThan(1.8)
  expect(twice).toBeLessThan(2.2)
})

test('data that come more slowly than they are served are not held back', () => {
  const light = (window: Window): number => {
    const { sources } = simulate({
      devices: [{ name: 'd', speed: 1 }],
      links: [],
      models: [{ name: 'm', work: BLOCKS, activations: [1, 1, 1, 1, 1].map(bytes) }],
      // Eight at once, every two seconds: 0.8 s of work.
      sources: [
        {
          ...{ name: 's', device: 0, model: 0, weight: 1, count: 200, window },
          availableAt: datum => seconds(2 * Math.floor(datum / 8))
        }
      ],
      carries: () => true,
      policy: POLICIES.local
    })
    return sources[0]!.results.at(-1)!.completedAt
  }
  expect(light('auto')).toBe(light(32))
})
