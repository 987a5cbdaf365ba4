import { expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { plannedPlacement } from '../planner/planned-placement.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import { simulate } from './simulate.ts'
import type { SimulatedEvent, SimulationInput, SimulationOutput } from './simulation-input.ts'

const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
const place: NonNullable<SimulationInput['replacement']>['place'] = problem =>
  plannedPlacement(problem, { solve, solveMip, rng: createRng('plan'), now: () => seconds(0), timeLimit: seconds(10) })
    .placement

const MIB = 2 ** 20
const work = [0.02, 0.02, 0.02, 0.02].map(seconds)

/** Four devices; each has room for half of the model. */
const run = (
  events: readonly SimulatedEvent[],
  {
    adapts = true,
    carried = [
      [0, 1],
      [2, 3],
      [2, 3],
      [0, 1]
    ]
  } = {}
): SimulationOutput =>
  simulate({
    devices: [0.5, 1, 1, 1].map((speed, n) => ({ name: `d${n}`, speed })),
    links: [0, 1, 2, 3].flatMap(from =>
      [0, 1, 2, 3].flatMap(to =>
        from === to ? [] : [{ from, to, rate: bytesPerSecond(12.5e6), latency: seconds(0.002) }]
      )
    ),
    models: [{ name: 'm', work, activations: [100e3, 80e3, 60e3, 40e3, 4e3].map(bytes) }],
    sources: [{ name: 's', device: 0, model: 0, count: 1000, window: 32, weight: 1, availableAt: undefined }],
    carries: (n, _, k) => carried[n]!.includes(k),
    policy: POLICIES.confluence,
    events,
    adapts,
    replacement: {
      memory: [2, 2, 2, 2].map(size => bytes(size * MIB)),
      weights: [work.map(() => bytes(MIB))],
      demands: [1],
      wholeModels: false,
      place
    }
  })

const doneBetween = ({ sources }: SimulationOutput, from: number, to: number): number =>
  sources[0]!.results.filter(({ completedAt }) => completedAt >= from && completedAt < to).length / (to - from)

test('where nothing happens nothing moves', () => {
  const { moved, sources } = run([])
  expect(moved).toBe(0)
  expect(sources[0]!.results).toHaveLength(1000)
})

test('blocks that were on a lost device alone are placed again; without adaptation the data wait until it is back', () => {
  const carried = [
    [0, 1],
    [2, 3],
    [0, 1],
    [0, 1]
  ]
  const events: SimulatedEvent[] = [
    { at: seconds(3), kind: 'leaves', device: 1, how: 'kill' },
    { at: seconds(20), kind: 'joins', device: 1 }
  ]
  const adapted = run(events, { carried })
  expect(doneBetween(adapted, 8, 15)).toBeGreaterThan(10)
  expect(adapted.moved).toBeGreaterThan(0)
  const stubborn = run(events, { carried, adapts: false })
  expect(doneBetween(stubborn, 8, 15)).toBe(0)
  expect(stubborn.moved).toBe(0)
  for (const { sources } of [adapted, stubborn]) expect(sources[0]!.completed).toBe(1000)
})

test('a device much slower than planned for loses blocks to others', () => {
  const events: SimulatedEvent[] = [{ at: seconds(3), kind: 'speed', device: 1, speed: 0.05 }]
  const carried = [
    [0, 1],
    [2, 3],
    [0, 1],
    [0, 1]
  ]
  const adapted = run(events, { carried })
  const stubborn = run(events, { carried, adapts: false })
  expect(adapted.makespan).toBeLessThan(0.5 * stubborn.makespan)
  expect(adapted.moved).toBeGreaterThan(0)
  expect(adapted.moved).toBeLessThanOrEqual(12 * MIB)
})

test('a device that comes later is given blocks', () => {
  const events: SimulatedEvent[] = [{ at: seconds(5), kind: 'joins', device: 2 }]
  const { devices, sources } = run(events)
  expect(devices[2]!.tasks).toBeGreaterThan(100)
  expect(sources[0]!.completed).toBe(1000)
})

test('a device that is back before anybody planned without it is given its blocks again', () => {
  const events: SimulatedEvent[] = [
    { at: seconds(5), kind: 'leaves', device: 1, how: 'stop' },
    { at: seconds(5.3), kind: 'joins', device: 1 }
  ]
  const { devices, sources } = run(events)
  expect(sources[0]!.completed).toBe(1000)
  const never = run([{ at: seconds(5), kind: 'leaves', device: 1, how: 'stop' }])
  expect(devices[1]!.tasks).toBeGreaterThan(2 * never.devices[1]!.tasks)
})

test('links that were slow for a while and are fast again are used as before', () => {
  const links = [1, 2, 3].map(to => ({ from: 0, to }))
  const change = (at: number, rate: number): SimulatedEvent => ({
    at: seconds(at),
    kind: 'link',
    links,
    rate: bytesPerSecond(rate),
    latency: undefined
  })
  const output = run([change(2, 2e4), change(6, 12.5e6)])
  expect(output.sources[0]!.completed).toBe(1000)
  expect(doneBetween(output, 14, 16)).toBeGreaterThan(0.8 * doneBetween(run([]), 4, 6))
})
