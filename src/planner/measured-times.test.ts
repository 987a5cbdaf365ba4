import { beforeAll, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, mebibytes, seconds } from '../core/units.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { exactPlacement } from './exact-placement.ts'
import { explainPlan } from './explain-plan.ts'
import { type PlanParts, plan } from './plan.ts'
import { plannedPlacement } from './planned-placement.ts'
import { proportionalPlacement } from './proportional-placement.ts'

let parts: PlanParts
beforeAll(async () => {
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  parts = { solve, solveMip, rng: createRng('test'), now: () => seconds(0), timeLimit: seconds(20) }
})

interface Small {
  /** Of each device; null: work / speed, which is 1 s a block. */
  readonly times: readonly (readonly number[] | null)[]
  /** MiB, as weights are. */
  readonly memory?: readonly number[]
  readonly pinned?: boolean
  readonly sources?: readonly number[]
  readonly weights?: readonly number[]
}

const problem = ({ times, memory, pinned = false, sources = [0], weights }: Small): CapacityProblem => {
  const blocks = times.find(of => of !== null)!.length
  return {
    devices: times.map((_, n) => ({
      name: `d${n}`,
      speed: 1,
      memory: mebibytes(memory?.[n] ?? Number.POSITIVE_INFINITY)
    })),
    links: times.flatMap((_, from) =>
      times.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e9), latency: seconds(0) }]))
    ),
    models: [
      {
        name: 'net',
        work: Array.from({ length: blocks }, () => seconds(1)),
        times: times.map(of => of?.map(seconds)),
        weights: weights?.map(mebibytes) ?? Array.from({ length: blocks }, () => mebibytes(1)),
        activations: Array.from({ length: blocks + 1 }, () => bytes(1)),
        pinned
      }
    ],
    sources: sources.map((device, i) => ({ name: `s${i}`, device, model: 0, demand: 1 }))
  }
}

const scaleOf = (p: CapacityProblem): number => {
  const outcome = capacityBound(p, () => true, parts.solve)
  return outcome.kind === 'bound' ? outcome.bound.scale : 0
}

test('the bound follows measured times: each block runs where it is fast', () => {
  // Block 0 at 1 s on d0, block 1 at 1 s on d1, the others at 100 s: one a second, and a little over.
  expect(
    scaleOf(
      problem({
        times: [
          [1, 100],
          [100, 1]
        ]
      })
    )
  ).toBeCloseTo(1, 3)
  // 2 s on d0, work / speed, 2 s, on d1.
  expect(scaleOf(problem({ times: [[1, 1], null] }))).toBeCloseTo(1, 4)
})

test('the bound with a pinned first block: only the home of a source runs it', () => {
  const times = [
    [1, 1],
    [0.5, 0.5]
  ]
  expect(scaleOf(problem({ times }))).toBeCloseTo(1.5, 4)
  expect(scaleOf(problem({ times, pinned: true }))).toBeCloseTo(1, 4) // d0 does nothing but first blocks
  expect(scaleOf(problem({ times, pinned: true, sources: [0, 1] }))).toBeCloseTo(0.75, 4)
})

test('a placement with little memory has each pinned block at every one of its sources', () => {
  const p = problem({
    times: [
      [1, 4, 4],
      [1, 2, 1],
      [1, 1, 2]
    ],
    memory: [1, 2, 1],
    pinned: true,
    sources: [0, 1]
  })
  const outcome = plan(p, parts)
  if (outcome.kind !== 'plan') throw new Error(outcome.because)
  const { table, predicted } = outcome.plan
  expect([0, 1].map(n => table.carries(n, 0, 0))).toEqual([true, true])
  // d1 also carries block 2 (1 s), d2 block 1 (1 s): d1 does a first block and two last ones for the two sources together.
  expect(predicted.scale).toBeCloseTo(1 / 3, 4)
  const exact = exactPlacement(p, 1, parts.solveMip, { timeLimit: 10, gap: 1e-4 })
  expect(exact.upper).toBeCloseTo(1 / 3, 3)
  const best = capacityBound(p, exact.table!.carries, parts.solve)
  expect(best.kind === 'bound' && best.bound.scale).toBeCloseTo(1 / 3, 4)
})

test('shaken and improved placements keep pinned blocks at home', () => {
  const rng = createRng('pinned')
  for (let round = 0; round < 1; round++) {
    const times = Array.from({ length: 4 }, () => Array.from({ length: 5 }, () => 0.2 + rng.next()))
    const outcome = plan(problem({ times, memory: [2, 2, 3, 3], pinned: true, sources: [0, 2] }), parts)
    if (outcome.kind !== 'plan') throw new Error(outcome.because)
    expect([0, 2].map(n => outcome.plan.table.carries(n, 0, 0))).toEqual([true, true])
    expect(outcome.plan.predicted.scale).toBeLessThanOrEqual(outcome.plan.upper * (1 + 1e-9))
  }
})

test('a source whose device has no memory for its pinned block is told so', () => {
  const outcome = plan(
    problem({
      times: [
        [1, 1],
        [1, 1]
      ],
      memory: [1, 9],
      weights: [2, 2],
      pinned: true
    }),
    parts
  )
  expect(outcome).toMatchObject({
    kind: 'infeasible',
    because:
      'the first block of net is pinned to its source on d0 and needs 2.00 MiB; d0 has 1.00 MiB for blocks: give it more memory, or cut the model finer'
  })
})

test('local and ddi are explained by measured times, and by where the first block must run', () => {
  const p = problem({
    times: [
      [1, 3],
      [0.1, 0.1]
    ]
  })
  const explained = (q: CapacityProblem) => {
    const outcome = plan(q, parts)
    if (outcome.kind !== 'plan') throw new Error(outcome.because)
    return explainPlan(q, outcome.plan, parts.solve)
  }
  expect(explained(p).local).toBeCloseTo(0.25, 4)
  expect(explained(p).ddi).toBeCloseTo(0.25 + 5, 3)
  const pinned = { ...p, models: [{ ...p.models[0]!, pinned: true }] }
  expect(explained(pinned).ddi).toBeCloseTo(1, 3)
})

test('a running cluster is planned by the same, and covers pinned blocks at home while nothing is known yet', () => {
  const times = [
    [5, 5],
    [1, 1],
    [5, 5]
  ].map(of => of.map(seconds))
  const cluster = {
    devices: [0, 1, 2].map(n => ({ id: deviceId(`d${n}`), speed: 1, memory: bytes(1) })),
    models: [
      {
        id: modelId('net'),
        blocks: [1, 1].map(work => ({ work: seconds(work), bytes: bytes(1) })),
        activations: [1, 1, 1].map(bytes),
        times,
        pinned: true
      }
    ],
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e9), latency: seconds(0) }]))
    ),
    sources: [{ device: 2, model: 0, demand: 1 }],
    wholeModels: false as const,
    carried: new Map()
  }
  const blocksOf = ({ placement }: ReturnType<typeof plannedPlacement>) =>
    Object.fromEntries([...placement].map(([id, models]) => [id, models.get(modelId('net'))]))
  expect(blocksOf(plannedPlacement(cluster, parts))).toMatchObject({ d1: [1], d2: [0] })
  expect(blocksOf(proportionalPlacement(cluster))).toMatchObject({ d1: [1], d2: [0] })
})
