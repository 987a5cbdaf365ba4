import { expect, test } from 'vitest'
import { bytesPerSecond, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { expectEachOnce } from '../testing/expect-each-once.ts'
import { policyOn } from '../testing/policy-on.ts'
import { smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { createBackpressure } from './backpressure.ts'
import type { Report, TaskState } from './policy.ts'

const now = seconds(0)
const go = (device: number, until: number) => ({ kind: 'go', steps: [{ device, until }] })
const many = (count: number, over: Partial<TaskState> = {}): TaskState[] =>
  Array.from({ length: count }, (_, i) => taskState({ datum: 100 + i, ...over }))
const heard = (tasks: number): Report => ({
  backlog: now,
  commitments: [],
  received: [],
  queues: [{ model: 0, done: 0, home: 0, tasks }]
})
/** Two equal devices; activations cost next to nothing to send. */
const pair = (over: Partial<Parameters<typeof smallWorld>[0]> = {}): World =>
  smallWorld({ speeds: [1, 1], work: [1, 1], activations: [1e5, 1e5, 1e5], ...over })
const unbiased = createBackpressure({ bias: 0 })

test('the largest product of difference and rate, by hand', () => {
  // 4 fresh tasks and 1 with a block done here: running weighs (4 - 1) / 1 s = 3; the link (4 - Q) * 10 per second.
  const tasks = [...many(4), ...many(1, { done: 1 })]
  const policy = policyOn(unbiased, pair(), 0, tasks)
  policy.heard(1, heard(3.5), now) // 5
  expect(policy.admit(taskState(), now)).toEqual(go(1, 0))
  policy.heard(1, heard(3.75), now) // 2.5
  expect(policy.admit(taskState(), now)).toEqual(go(0, 1))
})

test('the link weighs by its rate', () => {
  const world = pair()
  const policy = policyOn(unbiased, world, 0, many(4))
  policy.heard(1, heard(3), now) // 4 / 1 s here against 1 * 10 there
  expect(policy.admit(taskState(), now)).toEqual(go(1, 0))
  world.setLink(0, 1, bytesPerSecond(3e5), seconds(0)) // against 1 * 3
  expect(policy.admit(taskState(), now)).toEqual(go(0, 1))
})

test('tasks of another home are another queue', () => {
  const policy = policyOn(unbiased, pair(), 0, many(30, { home: 1 }))
  // No task of its own kind is counted anywhere: no weight is positive, and it takes the shortest way.
  expect(policy.admit(taskState(), now)).toEqual(go(0, 1))
})

test('what was sent counts at the neighbour until it is heard from again', () => {
  const policy = policyOn(unbiased, pair(), 0, many(3))
  expect(policy.admit(taskState(), now)).toEqual(go(1, 0)) // 3 * 10 against 3 / 1 s
  for (const task of many(3)) policy.sent(task, 1, now)
  expect(policy.admit(taskState(), now)).toEqual(go(0, 1)) // 0 against 3
  policy.heard(1, heard(0), now)
  expect(policy.admit(taskState(), now)).toEqual(go(1, 0))
})

test('a task that was passed on is not passed on away from its end', () => {
  const policy = policyOn(createBackpressure(), pair(), 1, many(50, { home: 1 }))
  const task = taskState({ home: 1 })
  expect(policy.next(task, now)).toEqual(go(0, 0))
  policy.arrived(task, 0, now)
  expect(policy.next(task, now)).toEqual(go(1, 1))
})

test('without a gradient it still goes the shortest way over relays', () => {
  const world = smallWorld({
    speeds: [1, 1, 1],
    work: [1],
    activations: [1, 1],
    pairs: [
      [0, 1],
      [1, 0],
      [1, 2],
      [2, 1]
    ],
    carried: [[], [], [0]]
  })
  expect(policyOn(unbiased, world).admit(taskState(), now)).toEqual(go(1, 0))
  expect(policyOn(unbiased, world, 1).next(taskState(), now)).toEqual(go(2, 0))
  expect(policyOn(unbiased, world, 2).next(taskState(), now)).toEqual(go(2, 1))
})

test('tells its queues', () => {
  const policy = policyOn(unbiased, pair(), 0, [...many(2), ...many(1, { done: 1, home: 1 })])
  expect(policy.report(now).queues).toEqual([
    { model: 0, done: 0, home: 0, tasks: 2 },
    { model: 0, done: 1, home: 1, tasks: 1 }
  ])
})

test('waits for the first block out of reach, also when a device that is cut off carries it', () => {
  const world = smallWorld({
    speeds: [1, 1, 1],
    work: [1, 1],
    activations: [1, 1, 1],
    pairs: [
      [0, 1],
      [1, 0]
    ],
    carried: [[0], [0], [1]]
  })
  expect(policyOn(unbiased, world).admit(taskState(), now)).toEqual({ kind: 'wait', block: 1 })
})

test('every datum of a random network comes home once', () => expectEachOnce(createBackpressure()), 60_000)
test('also without the bias', () => expectEachOnce(unbiased), 60_000)
