import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { loadSolver } from '../testing/load-solver.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import type { SolveLp } from './solve-lp.ts'

let solve: SolveLp
beforeAll(async () => {
  solve = await loadSolver()
})

interface Small {
  readonly speeds: readonly number[]
  readonly work: readonly number[]
  readonly activations: readonly number[]
  readonly rate?: number
  readonly medium?: boolean
  readonly sources?: readonly { device: number; demand: number }[]
}

const problem = ({
  speeds,
  work,
  activations,
  rate = 1e6,
  medium = false,
  sources = [{ device: 0, demand: 1 }]
}: Small): CapacityProblem => ({
  devices: speeds.map((speed, n) => ({ name: `d${n}`, speed, memory: bytes(Infinity) })),
  links: speeds.flatMap((_, from) =>
    speeds.flatMap((_, to) =>
      from === to
        ? []
        : [{ from, to, rate: bytesPerSecond(rate), latency: seconds(0), ...(medium ? { medium: 0 } : {}) }]
    )
  ),
  models: [
    { name: 'm', work: work.map(seconds), weights: work.map(() => bytes(1)), activations: activations.map(bytes) }
  ],
  sources: sources.map((s, i) => ({ name: `s${i}`, model: 0, ...s }))
})

const everywhere = () => true
const bound = (small: Small, carries: (n: number, m: number, k: number) => boolean = everywhere) => {
  const outcome = capacityBound(problem(small), carries, solve)
  if (outcome.kind !== 'bound') throw new Error('infeasible')
  return outcome.bound
}

/** The arc-flow programme as DESIGN writes it, solved at once: the oracle. */
const arcFlow = ({ devices, links, models, sources }: CapacityProblem): number => {
  const rows = new Map<string, string[]>()
  const put = (row: string, term: string): void => void rows.set(row, [...(rows.get(row) ?? []), term])
  for (const [s, { device, model, demand }] of sources.entries()) {
    const { work, activations } = models[model]!
    put(`f_${s}_0_${device}`, `${demand} theta`)
    put(`f_${s}_${work.length}_${device}`, `- ${demand} theta`)
    for (const n of devices.keys()) {
      for (const [k, w] of work.entries()) {
        put(`f_${s}_${k}_${n}`, `- 1 x_${s}_${k}_${n}`)
        put(`f_${s}_${k + 1}_${n}`, `1 x_${s}_${k}_${n}`)
        put(`r_w${n}`, `${w / devices[n]!.speed} x_${s}_${k}_${n}`)
      }
    }
    for (const [l, link] of links.entries()) {
      for (const [k, size] of activations.entries()) {
        put(`f_${s}_${k}_${link.from}`, `- 1 y_${s}_${k}_${l}`)
        put(`f_${s}_${k}_${link.to}`, `1 y_${s}_${k}_${l}`)
        put(link.medium === undefined ? `r_l${l}` : `r_m${link.medium}`, `${size / link.rate} y_${s}_${k}_${l}`)
      }
    }
  }
  const text = [...rows].map(([name, terms]) => {
    const sum = terms.map((t, i) => (t.startsWith('-') ? t : i === 0 ? t : `+ ${t}`)).join('\n  ')
    return ` ${name}: ${sum} ${name.startsWith('f') ? '= 0' : '<= 1'}`
  })
  const outcome = solve(['Maximize', ' obj: theta', 'Subject To', ...text, 'End'].join('\n'))
  return outcome.kind === 'optimal' ? outcome.objective : Number.NaN
}

describe('capacityBound', () => {
  test('one device serves one over its time', () => {
    const { scale, rates, use } = bound({ speeds: [0.5], work: [0.1, 0.1], activations: [1, 1, 1] })
    expect(scale).toBeCloseTo(2.5, 6)
    expect(rates[0]).toBeCloseTo(2.5, 6)
    expect(use[0]).toBeCloseTo(1, 6)
  })

  test('free links add the speeds up', () => {
    expect(bound({ speeds: [1, 2, 0.5], work: [0.1, 0.2], activations: [0, 0, 0] }).scale).toBeCloseTo(3.5 / 0.3, 5)
  })

  test('a link that is too thin for the input leaves its share', () => {
    // 1 MB/s: one input of 0.5 MB every 0.5 s, so 2 data/s go over; 1/s stays.
    expect(bound({ speeds: [1, 100], work: [1], activations: [5e5, 0] }).scale).toBeCloseTo(3, 5)
  })

  test('links of one medium share its time', () => {
    const two = { speeds: [1, 100], work: [1], activations: [5e5, 5e5] }
    expect(bound(two).scale).toBeCloseTo(3, 5)
    expect(bound({ ...two, medium: true }).scale).toBeCloseTo(2, 5)
  })

  test('demands are served in proportion', () => {
    const { rates } = bound({
      speeds: [1, 1],
      work: [1],
      activations: [0, 0],
      sources: [
        { device: 0, demand: 3 },
        { device: 1, demand: 1 }
      ]
    })
    expect(rates[0]).toBeCloseTo(1.5, 5)
    expect(rates[1]).toBeCloseTo(0.5, 5)
  })

  test('a block that nobody carries makes it infeasible, and is named', () => {
    const outcome = capacityBound(
      problem({ speeds: [1, 1], work: [1, 1], activations: [1, 1, 1] }),
      (_, __, k) => k !== 1,
      solve
    )
    expect(outcome).toEqual({ kind: 'infeasible', source: 0, block: 1 })
  })

  test('equals the arc-flow programme, and its prices prove it', () => {
    const n = fc.integer({ min: 1, max: 20 })
    const small = fc.record({
      speeds: fc.array(n, { minLength: 2, maxLength: 4 }),
      work: fc.array(n, { minLength: 3, maxLength: 3 }),
      activations: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }),
      rate: n,
      medium: fc.boolean()
    })
    fc.assert(
      fc.property(small, ({ speeds, work, activations, rate, medium }) => {
        const sources = [
          { device: 0, demand: 1 },
          { device: 1, demand: 2 }
        ]
        const given = problem({
          speeds: speeds.map(s => s / 10),
          work: work.map(w => w / 100),
          activations,
          rate: rate * 20,
          medium,
          sources
        })
        const outcome = capacityBound(given, everywhere, solve)
        if (outcome.kind !== 'bound') throw new Error('infeasible')
        const oracle = arcFlow(given)
        expect(outcome.bound.scale / oracle).toBeCloseTo(1, 4)
        expect(outcome.bound.upper).toBeGreaterThanOrEqual(oracle * (1 - 1e-6))
        expect(outcome.bound.gap).toBeLessThan(1e-4)
      }),
      { numRuns: 40 }
    )
  })
})

test('in a large network few programmes are solved: the first ways share it evenly', () => {
  const rng = createRng('large')
  const large = problem({
    speeds: Array.from({ length: 60 }, () => 0.25 + 1.75 * rng.next()),
    work: Array.from({ length: 8 }, () => 0.01 + 0.03 * rng.next()),
    activations: Array.from({ length: 9 }, () => 1e5 + 1e6 * rng.next()),
    rate: 1e7,
    sources: Array.from({ length: 6 }, (_, device) => ({ device, demand: 1 + device }))
  })
  let programmes = 0
  const counted: SolveLp = (text, options) => {
    programmes++
    return solve(text, options)
  }
  const outcome = capacityBound(large, () => true, counted, { tolerance: 1e-3 })
  if (outcome.kind !== 'bound') throw new Error(outcome.kind)
  expect(outcome.bound.gap).toBeLessThan(1e-3)
  expect(programmes).toBeLessThanOrEqual(5)
  for (const share of outcome.bound.use) expect(share).toBeLessThanOrEqual(1 + 1e-6)
})
