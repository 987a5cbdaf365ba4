import { expect, test } from 'vitest'
import { blockRanges } from './block-ranges.ts'

test('neighbours become a range', () => {
  expect(blockRanges([0, 1, 2, 5])).toBe('0-2,5')
  expect(blockRanges([3])).toBe('3')
  expect(blockRanges([0, 2, 4])).toBe('0,2,4')
  expect(blockRanges([])).toBe('-')
})
