import { expect, test } from 'vitest'
import { meanInterval } from './mean-interval.ts'

test("means with Student's 95 % interval", () => {
  expect(meanInterval([1, 2, 3])).toEqual({ mean: 2, ci95: expect.closeTo(4.303 / Math.sqrt(3), 6) })
  expect(meanInterval([5])).toEqual({ mean: 5, ci95: Number.NaN })
})
