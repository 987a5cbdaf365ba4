import { expect, test } from 'vitest'
import { recovery } from '../bench/recovery.ts'

/** Results of a source, so many a second. */
const steady = (rate: number, from: number, to: number): number[] =>
  Array.from({ length: Math.round((to - from) * rate) }, (_, i) => from + i / rate)
const at = { bound: 10, change: 10, next: Number.POSITIVE_INFINITY }

test('a network has recovered when all its sources together have nine tenths of the bound', () => {
  const slow = steady(2, 0, 20)
  expect(
    recovery({
      ...at,
      ends: [
        [...slow, ...steady(5, 20, 40)],
        [...slow, ...steady(5, 20, 40)]
      ]
    })
  ).toBeCloseTo(9.5, 1)
})

test('what the last source gets when the others are done is no recovery', () => {
  const ends = [steady(4, 0, 30), [...steady(4, 0, 30), ...steady(10, 30, 50)]]
  expect(recovery({ ...at, ends })).toBeUndefined()
  expect(recovery({ ...at, ends: [[], ends[1]!] })).toBeUndefined()
})

test('nor is what comes after the next change', () => {
  const ends = [[...steady(4, 0, 30), ...steady(10, 30, 50)]]
  expect(recovery({ ...at, ends })).toBeGreaterThan(18)
  expect(recovery({ ...at, ends, next: 30 })).toBeUndefined()
})
