import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { loadSolver } from '../testing/load-solver.ts'
import { UNLIMITED } from './allowance.ts'
import { BlockTable } from './block-table.ts'
import { capacityBound, worldOf } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { unloadedTimes } from './plan.ts'
import { shorterWays } from './shorter-ways.ts'
import type { SolveLp } from './solve-lp.ts'

let solve: SolveLp
beforeAll(async () => {
  solve = await loadSolver()
})

/** Blocks of 1 s and 1 B; a transfer takes a hundredth of a second. */
const network = (speeds: readonly number[], memory: readonly number[], blocks: number, sources = [0]) =>
  ({
    devices: speeds.map((speed, n) => ({ name: `d${n}`, speed, memory: bytes(memory[n]!) })),
    links: speeds.flatMap((_, from) =>
      speeds.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(100), latency: seconds(0.2) }]))
    ),
    models: [
      {
        name: 'net',
        work: Array.from({ length: blocks }, () => seconds(1)),
        weights: Array.from({ length: blocks }, () => bytes(1)),
        activations: Array.from({ length: blocks + 1 }, () => bytes(1))
      }
    ],
    sources: sources.map((device, s) => ({ name: `s${s}`, device, model: 0, demand: 1 }))
  }) satisfies CapacityProblem

const shortened = (problem: CapacityProblem, carried: readonly (readonly number[])[]) => {
  const table = new BlockTable(problem)
  for (const [n, blocks] of carried.entries()) for (const k of blocks) table.put(n, 0, k)
  const outcome = capacityBound(problem, table.carries, solve)
  if (outcome.kind !== 'bound') return undefined
  const found = { table, bound: outcome.bound }
  const world = worldOf(problem, () => true)
  return { found, next: shorterWays({ problem, solve, world, time: UNLIMITED }, found) }
}

const mean = (times: readonly number[]): number => times.reduce((a, b) => a + b, 0) / times.length

test('data that go to and fro between two devices go there once', () => {
  const problem = network([1, 1], [2, 2], 4)
  const { found, next } = shortened(problem, [
    [0, 2],
    [1, 3]
  ])!
  expect(unloadedTimes(problem, found.table.carries)[0]).toBeCloseTo(4 + 4 * 0.21, 6)
  expect(unloadedTimes(problem, next.table.carries)[0]).toBeCloseTo(4 + 2 * 0.21, 6)
  expect(next.bound.scale).toBeCloseTo(found.bound.scale, 3)
})

test('spare memory takes what saves a crossing', () => {
  // The second device has to do half of the work; with all blocks on each, a datum need not cross at all.
  const problem = network([1, 1], [4, 4], 4)
  const { next } = shortened(problem, [
    [0, 1],
    [2, 3]
  ])!
  expect(unloadedTimes(problem, next.table.carries)[0]).toBeCloseTo(4, 6)
})

test('whatever was found: as much is served, everything fits, and no way is longer in sum', () => {
  const shape = fc.record({
    speeds: fc.array(fc.constantFrom(0.5, 1, 2), { minLength: 2, maxLength: 4 }),
    memory: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    carried: fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }), { minLength: 4, maxLength: 4 }),
    both: fc.boolean()
  })
  fc.assert(
    fc.property(shape, ({ speeds, memory, carried, both }) => {
      const problem = network(speeds, memory, 5, both ? [0, 1] : [0])
      const outcome = shortened(problem, carried.slice(0, speeds.length))
      if (outcome === undefined) return
      const { found, next } = outcome
      const { bound } = next
      expect(bound.scale).toBeGreaterThanOrEqual(found.bound.scale * 0.998 * (1 - 1e-9))
      for (const n of speeds.keys()) expect([...next.table.of(n)].length).toBeLessThanOrEqual(memory[n]!)
      const ways = (at: typeof next): number =>
        mean(unloadedTimes(problem, at.table.carries)) +
        at.bound.flows.reduce((sum, { path, rate }) => {
          const crossings = path.uses.filter(({ from, to }) => from !== to).length
          return sum + rate * (path.uses.reduce((time, use) => time + use.seconds, 0) + 0.2 * crossings)
        }, 0) /
          (at.bound.scale * problem.sources.length)
      expect(ways(next)).toBeLessThanOrEqual(ways(found) * (1 + 1e-6))
    }),
    { numRuns: 60 }
  )
})
