import { describe, expect, test } from 'vitest'
import { remainingTimes } from '../core/remaining-times.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { type SmallWorld, smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { POLICIES, type PolicyName } from './policies.ts'
import type { Report, TaskState } from './policy.ts'

const now = seconds(0)
const task = taskState
const make = (name: PolicyName, world: World, tasks: readonly TaskState[] = []) =>
  POLICIES[name]({ self: 0, world, backlog: () => now, linkBacklog: () => now, tasks: () => tasks })
const chain = (over: Partial<SmallWorld> = {}): World =>
  smallWorld({
    speeds: [1, 2, 1],
    work: [1, 1, 1, 1],
    activations: [10, 10, 10, 10, 10],
    link: { rate: 1e6, latency: 0 },
    pairs: [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1]
    ],
    ...over
  })
const steps = (...all: readonly (readonly [device: number, until: number])[]) => ({
  kind: 'go',
  steps: all.map(([device, until]) => ({ device, until }))
})

describe('ar-mdi', () => {
  test('contiguous blocks along the chain in proportion to speed', () => {
    expect(make('ar-mdi', chain()).admit(task(), now)).toEqual(steps([0, 1], [1, 3], [2, 4]))
  })

  test('within what is carried: who lacks a block gets no share of it', () => {
    const world = chain({ carried: [[0, 1, 2, 3], [3], [2, 3]] })
    expect(make('ar-mdi', world).admit(task(), now)).toEqual(steps([0, 2], [1, 2], [2, 4]))
  })

  test('goes on without a lost worker, and says what nobody carries', () => {
    const world = chain({ carried: [[0, 1], [0, 1, 2, 3], []] })
    const policy = make('ar-mdi', world)
    expect(policy.admit(task(), now)).toMatchObject({ kind: 'go' })
    world.setUp(1, false)
    expect(policy.admit(task(), now)).toEqual({ kind: 'wait', block: 2 })
  })

  test('a worker that becomes slow gets less, within a second', () => {
    const world = chain()
    const policy = make('ar-mdi', world)
    policy.admit(task(), now)
    for (let k = 0; k < 4; k++) world.setBlockTime(1, 0, k, seconds(10))
    expect(policy.admit(task(), seconds(0.5))).toEqual(steps([0, 1], [1, 3], [2, 4]))
    expect(policy.admit(task(), seconds(1.5))).toEqual(steps([0, 2], [1, 2], [2, 4]))
  })
})

describe('pipeedge', () => {
  test('the slowest stage is as fast as can be', () => {
    // Speeds 1, 2, 1 and four blocks of 1 s: 1, 2 and 1 block, every stage 1 s; the input is larger than the result, so
    // that the source begins.
    const world = chain({ activations: [20, 10, 10, 10, 10] })
    expect(make('pipeedge', world).admit(task(), now)).toEqual(steps([0, 1], [1, 3], [2, 4]))
  })

  test('a slow link is not crossed where that would be the bottleneck', () => {
    const world = chain({ link: { rate: 1, latency: 0 } }) // 10 s for any activation; 4 s to compute all here
    expect(make('pipeedge', world).admit(task(), now)).toEqual(steps([0, 4]))
  })

  test('all cuts and orders of two devices, by hand', () => {
    const world = smallWorld({
      speeds: [1, 3],
      work: [3, 1, 2],
      activations: [8, 1, 4, 0],
      link: { rate: 4, latency: 0 }
    })
    // Here 0-0 then there 1-2: 3, 0.25, 1 -> 3.  All there: 2, 2 -> 2. There first, here last: 2, 4/3, 1, 2 -> 2.
    // Equal bottlenecks: all there takes 4 in all, the other way 2 + 4/3 + 1 + 2.
    expect(make('pipeedge', world).admit(task(), now)).toEqual(steps([1, 3]))
  })
})

describe('backpressure', () => {
  const heard = (tasks: number): Report => ({
    backlog: now,
    commitments: [],
    received: [],
    queues: [{ model: 0, done: 0, home: 0, tasks }]
  })

  test('runs here while neighbours have as much', () => {
    expect(make('backpressure', chain({ speeds: [1, 1, 1] })).admit(task(), now)).toEqual(steps([0, 1]))
  })

  test('sends where the queue is shorter, and not where it is longer', () => {
    const queued = Array.from({ length: 30 }, () => task())
    const world = chain({ speeds: [1, 1, 1] })
    const policy = make('backpressure', world, queued)
    expect(policy.admit(task(), now)).toEqual(steps([1, 0]))
    policy.heard(1, heard(40), now)
    expect(policy.admit(task(), now)).toEqual(steps([0, 1]))
  })

  test('says what nobody carries', () => {
    const world = chain({ carried: [[0, 1], [0, 1, 3], []] })
    expect(make('backpressure', world).admit(task(), now)).toEqual({ kind: 'wait', block: 2 })
  })
})

test('the time that remains, by hand', () => {
  const world = chain({ speeds: [1, 2, 1], carried: [[0], [1, 2, 3], []], link: { rate: 10, latency: 0.5 } })
  const remaining = remainingTimes(world, 0, 0)
  expect(remaining(0, 4)).toBe(0)
  expect(remaining(1, 4)).toBe(1.5) // 10 bytes at 10 a second, and the latency
  expect(remaining(1, 1)).toBe(3) // three blocks at speed 2, and home
  expect(remaining(2, 1)).toBe(4.5)
  expect(remaining(0, 0)).toBe(1 + 1.5 + 3)
  expect(remaining(2, 0)).toBe(2 * 1.5 + 5.5)
})
