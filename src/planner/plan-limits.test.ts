import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from '../simulator/simulate.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import type { BlockTable } from './block-table.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { type PlanOutcome, type PlanParts, plan } from './plan.ts'

let solvers: Pick<PlanParts, 'solve' | 'solveMip'>
beforeAll(async () => {
  solvers = { solve: await loadSolver(), solveMip: await loadMipSolver() }
})

/** Under a clock that moves with every look at it: the limit strikes after so many, wherever that is, every time alike. */
const planAfterLooks = (problem: CapacityProblem, looks: number): PlanOutcome => {
  let time = 0
  return plan(problem, {
    ...solvers,
    rng: createRng('test'),
    now: () => seconds(time++),
    timeLimit: seconds(looks)
  })
}

/** 3 to 6 devices with memory for 40 to 80 % of a model of 4 to 8 blocks; links of many rates; one to three sources. */
const network = (seed: string): CapacityProblem => {
  const rng = createRng(seed)
  const between = (low: number, high: number): number => low * (high / low) ** rng.next()
  const whole = (low: number, high: number): number => low + Math.floor((high - low + 1) * rng.next())
  const devices = whole(3, 6)
  const blocks = whole(4, 8)
  const weights = Array.from({ length: blocks }, () => bytes(Math.round(between(0.5e6, 6e6))))
  const model = weights.reduce((a, b) => a + b, 0)
  const all = Array.from({ length: devices }, (_, n) => n)
  return {
    devices: all.map(n => ({
      name: `d${n}`,
      speed: between(0.25, 2),
      memory: bytes(model * (0.4 + 0.4 * rng.next()))
    })),
    links: all.flatMap(from =>
      all
        .filter(to => to !== from)
        .map(to => ({ from, to, rate: bytesPerSecond(between(2e6, 4e7)), latency: seconds(0.001) }))
    ),
    models: [
      {
        name: 'net',
        work: Array.from({ length: blocks }, () => seconds(between(0.005, 0.05))),
        weights,
        activations: Array.from({ length: blocks + 1 }, () => bytes(Math.round(between(1e4, 2e6))))
      }
    ],
    sources: Array.from({ length: whole(1, 3) }, (_, i) => ({ name: `s${i}`, device: i, model: 0, demand: 1 }))
  }
}

/** All data of all sources within the time of the run: so much per second of each. */
const served = (problem: CapacityProblem, table: BlockTable, policy: PolicyName): number => {
  const count = 60
  const { makespan, sources } = simulate({
    ...problem,
    sources: problem.sources.map(s => ({ ...s, weight: 1, count, window: 24, availableAt: undefined })),
    carries: table.carries,
    policy: POLICIES[policy]
  })
  return sources.every(({ stuck }) => stuck === undefined) ? count / makespan : 0
}

describe('under a time limit', () => {
  test('no policy serves more than what is called a bound, wherever the limit strikes', () => {
    let cut = 0
    const cases = fc.record({ seed: fc.integer({ min: 0, max: 1e6 }), looks: fc.constantFrom(3, 8, 20, 60, 200) })
    fc.assert(
      fc.property(cases, ({ seed, looks }) => {
        const problem = network(`limits ${seed}`)
        const limited = planAfterLooks(problem, looks)
        const long = planAfterLooks(problem, 1e9)
        if (limited.kind !== 'plan' || long.kind !== 'plan') return
        if (limited.plan.isCutOff) cut++
        const { upper, free, predicted, gap } = limited.plan
        expect(upper).toBeGreaterThanOrEqual(long.plan.predicted.scale * (1 - 1e-6))
        expect(free.upper).toBeGreaterThanOrEqual(long.plan.free.scale * (1 - 1e-6))
        expect(predicted.scale).toBeGreaterThanOrEqual(upper * (1 - gap) * (1 - 1e-9))
        for (const policy of ['confluence', 'ms-mdi', 'backpressure'] as const)
          expect(served(problem, long.plan.table, policy)).toBeLessThanOrEqual(upper * (1 + 1e-6))
      }),
      { numRuns: 12, seed: 13 }
    )
    expect(cut).toBeGreaterThan(5)
  }, 120_000)

  test('what can be served and what nothing exceeds are two numbers where the search is cut off', () => {
    // Every first path computes at home: only later rounds find that the other devices are of use.
    const problem: CapacityProblem = {
      devices: [1, 1, 1, 1].map((speed, n) => ({ name: `d${n}`, speed, memory: bytes(Number.POSITIVE_INFINITY) })),
      links: [1, 2, 3].flatMap(n => [
        { from: 0, to: n, rate: bytesPerSecond(1e7), latency: seconds(0.001) },
        { from: n, to: 0, rate: bytesPerSecond(1e7), latency: seconds(0.001) }
      ]),
      models: [{ name: 'm', work: [seconds(1)], weights: [bytes(1)], activations: [bytes(1e5), bytes(1e3)] }],
      sources: [{ name: 'cam', device: 0, model: 0, demand: 1 }]
    }
    const outcome = planAfterLooks(problem, 6)
    if (outcome.kind !== 'plan') throw new Error(outcome.because)
    const { free, upper, predicted, isCutOff } = outcome.plan
    expect(isCutOff).toBe(true)
    expect(predicted.scale).toBeLessThan(3.5) // so the scale is none
    expect(free.upper).toBeGreaterThanOrEqual(4 * (1 - 1e-9))
    expect(upper).toBeGreaterThanOrEqual(4 * (1 - 1e-9))
  })

  test('without time for a path of each source there is no plan, and it is not called infeasible', () => {
    const devices = Array.from({ length: 3000 }, (_, n) => n)
    const problem: CapacityProblem = {
      devices: devices.map(n => ({ name: `d${n}`, speed: 1, memory: bytes(10) })),
      links: devices.map(n => ({ from: n, to: (n + 1) % 3000, rate: bytesPerSecond(1e6), latency: seconds(0) })),
      models: [
        { name: 'm', work: [1, 1].map(seconds), weights: [bytes(6), bytes(6)], activations: [9, 9, 9].map(bytes) }
      ],
      sources: Array.from({ length: 100 }, (_, i) => ({ name: `s${i}`, device: 30 * i, model: 0, demand: 1 }))
    }
    let looks = 0
    const outcome = plan(problem, {
      ...solvers,
      rng: createRng('test'),
      now: () => seconds(0.1 * looks++),
      timeLimit: seconds(1)
    })
    expect(outcome).toMatchObject({
      kind: 'infeasible',
      isProven: false,
      because: expect.stringMatching(
        /time limit of 1.00 s was too short.*100 sources on 3000 devices: give more time$/
      ),
      free: { scale: 0, upper: expect.closeTo(15, 9) } // 3000 seconds a second for 100 sources of 2 s a datum
    })
    // Nothing goes on for long after the limit.
    expect(looks).toBeLessThan(60)
  })
})

test('the scale of a problem does not matter: units of a billion more or less give the same plan', () => {
  const problem = network('units')
  const scaled = (time: number, size: number): CapacityProblem => ({
    ...problem,
    devices: problem.devices.map(d => ({ ...d, memory: bytes(d.memory * size) })),
    links: problem.links.map(l => ({ ...l, rate: bytesPerSecond((l.rate * size) / time) })),
    models: problem.models.map(m => ({
      ...m,
      work: m.work.map(w => seconds(w * time)),
      weights: m.weights.map(w => bytes(w * size)),
      activations: m.activations.map(a => bytes(a * size))
    }))
  })
  const bound = (p: CapacityProblem): number => {
    const outcome = capacityBound(p, () => true, solvers.solve)
    if (outcome.kind !== 'bound') throw new Error('no bound')
    expect(outcome.bound.gap).toBeLessThan(1e-5)
    return outcome.bound.scale
  }
  const expected = bound(problem)
  for (const [time, size] of [
    [1e9, 1],
    [1e-9, 1],
    [1, 1e-6],
    [1e-6, 1e6]
  ] as const)
    expect(bound(scaled(time, size)) * time).toBeCloseTo(expected, 4)
})
