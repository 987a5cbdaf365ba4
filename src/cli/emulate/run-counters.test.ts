import { expect, test } from 'vitest'
import { RunCounters } from './run-counters.ts'

test('counts since the run began, also over the end of a process', () => {
  const counters = new RunCounters()
  counters.note('bytes', 100)
  counters.begin()
  expect(counters.get('bytes')).toBe(0)
  for (const value of [150, 150, 180, 20, 25]) counters.note('bytes', value)
  expect(counters.get('bytes')).toBe(80 + 25)
  counters.note('later', 7)
  expect(counters.get('later')).toBe(7)
  expect(counters.get('never')).toBe(0)
})
