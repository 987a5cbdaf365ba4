import { describe, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import type { PlacementProblem } from './placement.ts'
import { ReplanRule } from './replan-rule.ts'

const problem = (
  names: readonly string[],
  links: readonly (readonly [number, number, number])[]
): PlacementProblem => ({
  devices: names.map(name => ({ id: deviceId(name), speed: 1, memory: bytes(1) })),
  models: [{ id: modelId('net'), blocks: [{ bytes: bytes(1), work: seconds(1) }], activations: [bytes(1), bytes(1)] }],
  links: links.map(([from, to, rate]) => ({ from, to, rate: bytesPerSecond(rate), latency: seconds(0) })),
  sources: [{ device: 0, model: 0, demand: 1 }],
  wholeModels: false,
  carried: new Map()
})
const two = (rate = 1e6) =>
  problem(
    ['a', 'b'],
    [
      [0, 1, rate],
      [1, 0, rate]
    ]
  )

/** The first tenth of a second, from `from` on, at which it is due while the problem stays as it is. */
const dueAt = (rule: ReplanRule, what: PlacementProblem, from: number): number => {
  for (let tick = Math.round(10 * from); tick < 1000; tick++) if (rule.isDue(what, seconds(tick / 10))) return tick / 10
  return Number.POSITIVE_INFINITY
}
const plannedFor = (what: PlacementProblem): ReplanRule => {
  const rule = new ReplanRule()
  rule.planned(what)
  return rule
}

test('who comes is planned for once nobody else has come for a moment', () => {
  const rule = plannedFor(problem(['a'], []))
  expect(rule.isDue(two(), seconds(0))).toBe(false)
  expect(dueAt(rule, two(), 0.1)).toBeCloseTo(0.4, 9)
})

test('who comes is planned for at once when its links are known; one that some will not be, a while later', () => {
  const rule = plannedFor(problem(['a'], []))
  const half = problem(['a', 'b'], [[0, 1, 1e6]])
  expect(rule.isDue(half, seconds(0))).toBe(false)
  expect(rule.isDue(half, seconds(0.9))).toBe(false)
  expect(dueAt(rule, two(), 0.9)).toBeCloseTo(1.3, 9)
  expect(dueAt(plannedFor(problem(['a'], [])), half, 0)).toBeCloseTo(1, 9)
  // Of those who were there already nothing is waited for.
  expect(dueAt(plannedFor(problem(['a', 'b', 'c'], [])), half, 0)).toBeCloseTo(0.4, 9)
})

test('links that become known are not drift: they are planned for as soon', () => {
  const rule = plannedFor(problem(['a', 'b'], []))
  expect(dueAt(rule, two(), 0)).toBeCloseTo(0.4, 9)
  expect(rule.planned(two())).toBe('links')
})

test('a plan is told what has changed, and how far what was planned with is off meanwhile', () => {
  const rule = new ReplanRule()
  expect(rule.planned(problem(['a'], []))).toBe('first')
  expect(rule.planned(problem(['a', 'b'], []))).toBe('devices')
  expect(rule.planned({ ...two(), sources: [] })).toBe('sources')
  expect(rule.planned(two())).toBe('sources')
  rule.isDue(two(), seconds(0))
  expect(rule.drift).toBe(0)
  for (const rate of [1.5e6, 1e6 / 1.5]) {
    rule.isDue(two(rate), seconds(0))
    expect(rule.drift).toBeCloseTo(0.5, 9)
  }
  expect(rule.planned(two(1.5e6))).toBe('drift')
  expect(rule.drift).toBe(0)
})

test('a rate that is off by more than a fifth must be so for three seconds', () => {
  expect(dueAt(plannedFor(two()), two(1.1e6), 0)).toBe(Number.POSITIVE_INFINITY)
  expect(dueAt(plannedFor(two()), two(2e6), 0)).toBeCloseTo(3, 9)
  const rule = plannedFor(two())
  expect(rule.isDue(two(2e6), seconds(0))).toBe(false)
  expect(rule.isDue(two(), seconds(2.9))).toBe(false)
  expect(dueAt(rule, two(2e6), 3)).toBeCloseTo(6, 9)
})

test('a source that comes back with another rate is planned for as one that comes', () => {
  const now = two()
  const busier = { ...now, sources: now.sources.map(source => ({ ...source, demand: 7 })) }
  expect(dueAt(plannedFor(now), busier, 0)).toBeCloseTo(0.4, 9)
})

describe('plans for drift that changed nothing', () => {
  /** Plans whenever it is due, for `seconds`, while a rate is off by half; how often. */
  const plansIn = (rule: ReplanRule, until: number, changes: boolean): number => {
    let plans = 0
    let now = two()
    for (let tick = 0; tick < 10 * until; tick++) {
      const other = two(now.links[0]!.rate === 1e6 ? 1.5e6 : 1e6)
      if (!rule.isDue(other, seconds(tick / 10))) continue
      rule.planned(other)
      rule.came(changes)
      now = other
      plans++
    }
    return plans
  }

  test('come more and more seldom: a noisy measure does not keep the planner busy', () => {
    expect(plansIn(plannedFor(two()), 600, false)).toBeLessThan(15)
    expect(plansIn(plannedFor(two()), 600, true)).toBeGreaterThan(150)
  })

  test('do not delay the plan for a great drift, nor the next one after a plan that moved blocks', () => {
    const rule = plannedFor(two())
    for (let i = 0; i < 5; i++) rule.came(false)
    expect(dueAt(rule, two(1.5e6), 0)).toBeCloseTo(60, 9)
    const other = plannedFor(two())
    for (let i = 0; i < 5; i++) other.came(false)
    expect(dueAt(other, two(2.5e6), 0)).toBeCloseTo(3, 9)
    const third = plannedFor(two())
    for (let i = 0; i < 5; i++) third.came(false)
    third.came(true)
    expect(dueAt(third, two(1.5e6), 0)).toBeCloseTo(3, 9)
  })

  test('are forgotten when somebody comes', () => {
    const rule = plannedFor(two())
    for (let i = 0; i < 5; i++) rule.came(false)
    rule.planned(problem(['a', 'b', 'c'], []))
    rule.planned(problem(['a', 'b'], []))
    rule.planned(two())
    expect(dueAt(rule, two(1.5e6), 0)).toBeCloseTo(3, 9)
  })
})
