import { expect, test } from 'vitest'
import { unacknowledgedOf } from './unacknowledged-of.ts'

test('as many as may be under way and wait; where that is found out, few enough for the memory', () => {
  expect(unacknowledgedOf(8, 2)).toBe(10)
  expect(unacknowledgedOf('auto', 1)).toBe(65)
  expect(unacknowledgedOf(60_000, 10_000)).toBe(65_535)
})
