import { expect, test } from 'vitest'
import { randomNetwork } from '../bench/random-network.ts'
import { createRng } from '../src/core/rng.ts'
import type { Window } from '../src/core/window.ts'
import { POLICIES } from '../src/scheduler/policies.ts'
import { simulate } from '../src/simulator/simulate.ts'

/** Networks of the random suite with several sources, every block everywhere. */
const NETWORKS = Array.from({ length: 40 }, (_, i) => `free-${i}`)
  .map(name => ({ name, problem: randomNetwork(createRng(name), false) }))
  .filter(({ problem }) => problem.sources.length > 1)
  .slice(0, 8)

/** What each source of weight 1, 2, 3 got while all had data and after the start, over its weight, beside the mean of all. */
const shares = ({ problem }: (typeof NETWORKS)[number], window: Window): number[] => {
  const { sources } = simulate({
    ...problem,
    sources: problem.sources.map((source, s) => {
      const weight = s + 1
      return { ...source, count: 500 * weight, window, weight, availableAt: undefined }
    }),
    carries: () => true,
    policy: POLICIES.confluence
  })
  const end = Math.min(...sources.map(({ results }) => results.at(-1)!.completedAt))
  const got = sources.map(
    ({ results }, s) => results.filter(r => r.completedAt > end / 5 && r.completedAt <= end).length / (s + 1)
  )
  const mean = got.reduce((a, b) => a + b, 0) / got.length
  return got.map(share => share / mean)
}

test('sources whose windows find their measure share by weight within 3 %, as with fixed windows', () => {
  const off = (network: (typeof NETWORKS)[number], window: Window): number =>
    Math.max(...shares(network, window).map(share => Math.abs(share - 1)))
  expect(NETWORKS.map(({ problem }) => problem.sources.length)).toHaveLength(8)
  const unfair = NETWORKS.filter(network => off(network, 'auto') > 0.03).map(network => [
    network.name,
    ...shares(network, 'auto'),
    ...shares(network, 32)
  ])
  expect(unfair).toEqual([])
}, 60_000)
