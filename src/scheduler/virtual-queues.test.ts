import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { VirtualQueues } from './virtual-queues.ts'

test('drain at rate 1, and never below nothing', () => {
  const queues = new VirtualQueues()
  expect(queues.at(3, seconds(-5))).toBe(0)
  queues.commit(20, 3, seconds(0))
  expect(queues.at(3, seconds(-5))).toBe(0)
  expect(queues.at(20, seconds(2))).toBe(1)
  expect(queues.at(20, seconds(9))).toBe(0)
  queues.commit(20, 1, seconds(9))
  queues.commit(20, -5, seconds(9))
  expect(queues.at(20, seconds(9))).toBe(0)
})

test('what is left on a resource that becomes slower takes longer, from then on', () => {
  let dearness = 1
  const queues = new VirtualQueues(() => dearness)
  queues.commit(0, 3, seconds(0))
  expect(queues.at(0, seconds(1))).toBe(2)
  dearness = 4
  expect(queues.at(0, seconds(1))).toBe(8)
  expect(queues.at(0, seconds(2))).toBe(7)
  queues.commit(0, 1, seconds(2))
  dearness = 1
  expect(queues.at(0, seconds(2))).toBe(2)
})
