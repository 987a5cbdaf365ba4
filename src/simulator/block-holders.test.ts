import { expect, test } from 'vitest'
import { bytes, bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import { proportionalPlacement } from '../planner/proportional-placement.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulatedEvent, SimulationInput, SimulationOutput } from './simulation-input.ts'

const MIB = 2 ** 20
const COUNT = 200

interface Options {
  readonly events: readonly SimulatedEvent[]
  /** By device, in blocks. */
  readonly room: readonly number[]
  readonly carried: readonly (readonly number[])[]
  readonly chain?: boolean
}

/** Device `a` has the file of the one model; `b` has a source of it too. A block takes 1 s over a link. */
const run = ({
  events,
  room,
  carried,
  chain = false
}: Options): SimulationOutput & { readonly firstRun: (Seconds | undefined)[] } => {
  const all = [...room.keys()]
  const isLinked = (a: number, b: number): boolean => a !== b && (!chain || Math.abs(a - b) === 1)
  const firstRun: (Seconds | undefined)[] = room.map(() => undefined)
  const source = { model: 0, count: COUNT, window: 16, weight: 1, availableAt: undefined }
  const input: SimulationInput = {
    devices: all.map(n => ({ name: 'abcd'[n]!, speed: 1 })),
    links: all.flatMap(from =>
      all.flatMap(to => (isLinked(from, to) ? [{ from, to, rate: bytesPerSecond(MIB), latency: seconds(0.001) }] : []))
    ),
    models: [{ name: 'm', work: [0.02, 0.02].map(seconds), activations: [1e3, 1e3, 1e3].map(bytes) }],
    sources: [
      { name: 'first', device: 0, ...source },
      { name: 'second', device: 1, ...source }
    ],
    carries: (n, _, k) => carried[n]!.includes(k),
    policy: POLICIES.confluence,
    events,
    replacement: {
      memory: room.map(blocks => bytes(blocks * MIB)),
      weights: [[MIB, MIB].map(bytes)],
      demands: [1, 1],
      wholeModels: false,
      place: problem => proportionalPlacement(problem).placement
    },
    observe: {
      ran: ({ device, start }) => {
        firstRun[device] ??= start
      },
      sent: () => {}
    }
  }
  return { ...simulate(input), firstRun }
}

const leaves = (at: number, device: number): SimulatedEvent => ({
  at: seconds(at),
  kind: 'leaves',
  device,
  how: 'kill'
})
const joins = (at: number, device: number): SimulatedEvent => ({ at: seconds(at), kind: 'joins', device })

test('blocks that nobody has any more are not fetched: data that need them are stuck, and it is said why', () => {
  const { moved, sources } = run({
    events: [leaves(1, 0), joins(3, 2)],
    room: [2, 0, 2],
    carried: [[0, 1], [], [0, 1]]
  })
  expect(moved).toBe(0)
  expect(sources[0]!.stuck).toBe('a left and did not come back')
  expect(sources[1]!.stuck).toContain('carries block 0 of m')
  expect(sources[1]!.admitted).toBeGreaterThan(sources[1]!.completed)
})

test('they are fetched as soon as the owner of the model is back', () => {
  const { moved, sources, firstRun } = run({
    events: [leaves(1, 0), joins(3, 2), joins(20, 0)],
    room: [2, 0, 2],
    carried: [[0, 1], [], [0, 1]]
  })
  expect(moved).toBe(2 * MIB)
  for (const { completed, stuck } of sources) expect([completed, stuck]).toEqual([COUNT, undefined])
  expect(firstRun[2]).toBeGreaterThan(21)
})

test('a device that comes fetches from one that carries the block where the owner is gone', () => {
  const { moved, sources, firstRun } = run({
    events: [leaves(1, 0), joins(3, 2)],
    room: [2, 2, 2],
    carried: [[0, 1], [0, 1], []]
  })
  expect(moved).toBe(2 * MIB)
  expect(sources[1]!.completed).toBe(COUNT)
  expect(firstRun[2]).toBeGreaterThan(4)
})

test('what is fetched over several hops takes all of them, and nothing comes through a device that is gone', () => {
  const far = { room: [2, 0, 0, 2], carried: [[0, 1], [], [], []], chain: true }
  const { firstRun } = run({ ...far, events: [joins(0.5, 3)] })
  expect(firstRun[3]).toBeGreaterThan(0.5 + 3)
  const cut = run({ ...far, events: [leaves(0.2, 2), joins(0.5, 3), joins(6, 2)] })
  expect(cut.firstRun[3]).toBeGreaterThan(6 + 3)
})

test('a fetch that is broken off by the death of its holder begins anew elsewhere', () => {
  const { moved, firstRun } = run({
    events: [joins(1, 2), leaves(2.5, 0), joins(2.6, 0)],
    room: [2, 0, 2],
    carried: [[0, 1], [], []]
  })
  expect(moved).toBe(2 * MIB)
  expect(firstRun[2]).toBeGreaterThan(3.6)
})

test('a source whose device is back begins when what is placed on it is loaded, not before', () => {
  const { sources } = run({
    events: [leaves(1, 0), leaves(1, 1), joins(3, 0), joins(8, 1)],
    room: [1, 1],
    carried: [[0], [1]]
  })
  expect(sources[0]!.completed).toBe(COUNT)
  const begun = sources[0]!.results.map(({ availableAt }) => availableAt).filter(at => at > 1.5)
  // What changed is still for 0.4 s, the plan takes 0.5 s, its own block is on its disk.
  expect(Math.min(...begun)).toBeGreaterThan(3.9)
  expect(Math.min(...begun)).toBeLessThan(4.2)
})

test('a placement whose planner dies while it is made comes from the next one, later', () => {
  const all = { room: [2, 2, 2, 2], carried: [[0, 1], [0, 1], [0, 1], []] }
  const planned = run({ events: [joins(0.5, 3)], ...all })
  // Device a begins its plan at about 1 s and dies at 1.2 s, which is noticed at 1.7 s: then b plans, for those who are there.
  const later = run({ events: [joins(0.5, 3), leaves(1.2, 0)], ...all })
  expect(later.firstRun[3]! - planned.firstRun[3]!).toBeGreaterThan(0.9)
  expect(later.firstRun[3]! - planned.firstRun[3]!).toBeLessThan(1.3)
  expect(later.sources[1]!.completed).toBe(COUNT)
})
