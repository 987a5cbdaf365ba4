import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchCurve } from '../../core/batch-curve.ts'
import { seconds } from '../../core/units.ts'
import { taskState } from '../../testing/task-state.ts'
import { batchOf } from './batch-of.ts'
import type { LiveTask } from './live-task.ts'

/** Two take 1.2 times what one does, eight three times: the more, the better. */
const steep = new BatchCurve([
  { size: 1, times: 1 },
  { size: 2, times: 1.2 },
  { size: 8, times: 3 }
])
/** Eight take 7.2 times what one does. */
const flat = new BatchCurve([
  { size: 1, times: 1 },
  { size: 8, times: 7.2 }
])

const task = (over: Partial<LiveTask> = {}): LiveTask => ({
  ...taskState(),
  ...{ attempt: 1, turn: 0, served: seconds(0), route: [], refusals: 0, lag: seconds(0) },
  ...over
})

const others = (count: number, over: Partial<LiveTask> = {}): LiveTask[] =>
  Array.from({ length: count }, (_, i) => task({ datum: i + 1, ...over }))

const rules = (curve: BatchCurve, lanes: readonly number[] = []) => ({
  others: lanes,
  curve,
  mayJoin: (waiting: LiveTask) => waiting.done === 0,
  now: seconds(0),
  takes: seconds(1),
  workOf: () => 1
})

const sizeOf = (waiting: readonly LiveTask[], curve: BatchCurve, head = task()): number =>
  1 + batchOf(head, waiting, rules(curve)).length

test('few who wait make small batches, many make large ones, and nobody alone waits for others', () => {
  expect(sizeOf([], steep)).toBe(1)
  expect(sizeOf(others(7), steep)).toBe(6)
  expect(sizeOf(others(3), flat)).toBe(1)
  expect(sizeOf(others(100), flat)).toBeGreaterThan(1)
})

test('where only the rate counts, as many as gives most', () => {
  expect(sizeOf(others(7, { inBulk: true }), flat, task({ inBulk: true }))).toBe(8)
  // One who waits by himself is not made to wait for it.
  expect(sizeOf([...others(6, { inBulk: true }), task({ datum: 9 })], flat, task({ inBulk: true }))).toBe(1)
})

test('a batch makes all who wait, together and by weight, wait no longer than one after the other', () => {
  const waiter = fc.record({ done: fc.nat(1), weight: fc.constantFrom(1, 2, 10) })
  const lanes = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 2 })
  fc.assert(
    fc.property(fc.array(waiter, { maxLength: 20 }), fc.boolean(), lanes, (waiters, isSteep, busy) => {
      const curve = isSteep ? steep : flat
      const waiting = waiters.map((over, i) => task({ datum: i + 1, ...over }))
      const chosen = new Set(batchOf(task(), waiting, rules(curve, busy)))
      const total = (members: ReadonlySet<LiveTask>): number => {
        const over = curve.times(members.size + 1)
        const until = [over, ...busy]
        let sum = over * (1 + [...members].reduce((all, { weight }) => all + weight, 0))
        for (const other of waiting) {
          if (members.has(other)) continue
          until.sort((a, b) => a - b)
          until[0]! += 1
          sum += until[0]! * other.weight
        }
        return sum
      }
      expect(total(chosen)).toBeLessThanOrEqual(total(new Set()) + 1e-9)
    })
  )
})

test('no batch is so large that one misses its deadline who would not, each run by itself', () => {
  const urgent = task({ datum: 1, done: 1, deadline: seconds(2.1) })
  // Alone: this one until 1, the urgent until 2. With one more: until 1.2 and 2.2.
  expect(sizeOf([urgent, ...others(6)], steep)).toBe(1)
  expect(sizeOf([{ ...urgent, deadline: seconds(2.3) }, ...others(6)], steep)).toBe(2)
  // Who is late anyway keeps nobody.
  expect(sizeOf([{ ...urgent, deadline: seconds(0.5) }, ...others(6)], steep)).toBeGreaterThan(2)
  expect(sizeOf(others(7), steep, task({ deadline: seconds(1.1) }))).toBe(1)
})

test('free lanes take their share of who waits: a batch of all would leave them idle', () => {
  const bulk = (count: number) => others(count, { inBulk: true })
  const size = (waiting: LiveTask[], lanes: readonly number[]) =>
    1 + batchOf(task({ inBulk: true }), waiting, rules(steep, lanes)).length
  expect(size(bulk(7), [])).toBe(8)
  expect(size(bulk(7), [0])).toBe(4)
  expect(size(bulk(7), [0, 0, 0])).toBe(2)
  expect(size(bulk(7), [0.5])).toBe(8)
  expect(1 + batchOf(task(), others(1), rules(steep, [0])).length).toBe(1)
})
