import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from '../simulator/simulate.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { explainPlan } from './explain-plan.ts'
import { type PlanParts, plan } from './plan.ts'

let parts: PlanParts
beforeAll(async () => {
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  // A clock that stands still: the search ends when it has nothing left to try, and the test is the same everywhere.
  parts = { solve, solveMip, rng: createRng('test'), now: () => seconds(0), timeLimit: seconds(20) }
})

interface Small {
  readonly speeds: readonly number[]
  readonly memory: readonly number[]
  readonly work: readonly number[]
  readonly weights: readonly number[]
  readonly activation?: number
  readonly rate?: number
  readonly sources?: readonly number[]
}

const problem = ({
  speeds,
  memory,
  work,
  weights,
  activation = 10,
  rate = 1000,
  sources = [0]
}: Small): CapacityProblem => ({
  devices: speeds.map((speed, n) => ({ name: `d${n}`, speed, memory: bytes(memory[n]!) })),
  links: speeds.flatMap((_, from) =>
    speeds.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(rate), latency: seconds(0) }]))
  ),
  models: [
    {
      name: 'net',
      work: work.map(seconds),
      weights: weights.map(bytes),
      activations: Array.from({ length: work.length + 1 }, () => bytes(activation))
    }
  ],
  sources: sources.map((device, i) => ({ name: `s${i}`, device, model: 0, demand: 1 }))
})

const planned = (p: CapacityProblem) => {
  const outcome = plan(p, parts)
  if (outcome.kind === 'infeasible') throw new Error(outcome.because)
  return outcome.plan
}

/** Every placement that fits, each with its own bound: the best of them. */
const bruteForce = (p: CapacityProblem): number => {
  const { weights } = p.models[0]!
  const choices = p.devices.map(({ memory }) =>
    Array.from({ length: 2 ** weights.length }, (_, set) => set).filter(
      set => weights.reduce((sum, size, k) => sum + ((set >> k) & 1) * size, 0) <= memory
    )
  )
  let best = 0
  const descend = (sets: readonly number[]): void => {
    if (sets.length < choices.length) {
      for (const set of choices[sets.length]!) descend([...sets, set])
      return
    }
    const outcome = capacityBound(p, (n, _, k) => ((sets[n]! >> k) & 1) === 1, parts.solve)
    if (outcome.kind === 'bound') best = Math.max(best, outcome.bound.scale)
  }
  descend([])
  return best
}

describe('plan', () => {
  test('by hand: two devices, half a model each, a pipeline of equal halves', () => {
    const p = problem({ speeds: [1, 1], memory: [2, 2], work: [1, 1, 1, 1], weights: [1, 1, 1, 1] })
    const found = planned(p)
    // 0.02 s of links a datum do not count against 2 s of work on each device.
    expect(found.predicted.scale).toBeCloseTo(0.5, 6)
    expect(found.free.scale).toBeCloseTo(0.5, 6)
    expect(found).toMatchObject({ status: 'optimal' })
  })

  test('nothing that fits is better: brute force over all placements', () => {
    const small = fc.record({
      speeds: fc.array(fc.double({ min: 0.3, max: 2, noNaN: true }), { minLength: 2, maxLength: 3 }),
      work: fc.array(fc.double({ min: 0.2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
      weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
      memory: fc.array(fc.integer({ min: 2, max: 6 }), { minLength: 3, maxLength: 3 }),
      rate: fc.double({ min: 5, max: 500, noNaN: true })
    })
    fc.assert(
      fc.property(small, s => {
        const p = problem(s)
        const best = bruteForce(p)
        const outcome = plan(p, parts)
        if (outcome.kind === 'infeasible') expect(best).toBe(0)
        else {
          expect(outcome.plan.upper).toBeGreaterThanOrEqual(best * (1 - 1e-6))
          expect(outcome.plan.predicted.scale).toBeLessThanOrEqual(best * (1 + 1e-6))
          expect(outcome.plan.predicted.scale).toBeGreaterThanOrEqual(best * (1 - outcome.plan.gap) * (1 - 1e-6))
          expect(outcome.plan.predicted.scale).toBeGreaterThanOrEqual(0.95 * best)
        }
      }),
      { numRuns: 12, seed: 3 }
    )
  }, 60_000)

  test('what cannot be is an answer: the block, its size, the largest device', () => {
    const p = problem({ speeds: [1, 1], memory: [3, 4], work: [1, 1], weights: [1, 5] })
    expect(plan(p, parts)).toMatchObject({
      kind: 'infeasible',
      because: expect.stringMatching(/block 1 of net needs 5 B.*d1, has 4 B/)
    })
  })

  test('simulated with confluence, saturated, it serves at least 0.9 of the bound with memory', () => {
    const p = problem({
      speeds: [0.5, 1, 1.5, 1],
      memory: [6, 5, 7, 6],
      work: [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.1, 0.2],
      weights: [1, 1, 1, 2, 2, 1, 1, 1],
      activation: 20,
      sources: [0, 1]
    })
    const found = planned(p)
    const { makespan } = simulate({
      ...p,
      sources: p.sources.map(s => ({ ...s, weight: 1, count: 400, window: 32, availableAt: undefined })),
      carries: found.table.carries,
      policy: POLICIES.confluence
    })
    expect(400 / makespan / found.upper).toBeGreaterThan(0.9)
  })

  test('the words name the bottleneck and what more of it gives, and the numbers hold', () => {
    const p = problem({ speeds: [1, 1], memory: [Infinity, Infinity], work: [1, 1], weights: [1, 1], rate: 5 })
    const before = planned(p)
    const { bottleneck, gains, local, pays } = explainPlan(p, before, parts.solve)
    expect(bottleneck).toContain('device d0')
    expect(local).toBeCloseTo(0.5, 9)
    expect(pays).toMatch(/times what local can/)
    const promised = Number(/speed on d0 would serve ([\d.]+) %/.exec(gains.join('\n'))![1]) / 100
    const faster = { ...p, devices: [{ ...p.devices[0]!, speed: 1.1 }, p.devices[1]!] }
    expect(planned(faster).predicted.scale / before.predicted.scale - 1).toBeCloseTo(promised, 1)
  })
})

test('memory that no link leads to is of no use, and it is said', () => {
  const outcome = plan(
    {
      devices: [
        { name: 'a', speed: 1, memory: bytes(4) },
        { name: 'b', speed: 1, memory: bytes(Number.POSITIVE_INFINITY) }
      ],
      links: [],
      models: [
        { name: 'm', work: [seconds(1), seconds(1)], weights: [bytes(4), bytes(9)], activations: [1, 1, 1].map(bytes) }
      ],
      sources: [{ name: 'cam', device: 0, model: 0, demand: 1 }]
    },
    parts
  )
  expect(outcome).toMatchObject({
    kind: 'infeasible',
    because: expect.stringContaining('block 1 of m needs 9 B, and no device that it can reach')
  })
})
