import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createArrivals, parseArrivals } from './arrivals.ts'
import { createRng } from './rng.ts'
import { seconds } from './units.ts'

test('arrivals are read with their units', () => {
  expect(['saturated', 'poisson:5/s', 'every:200ms', 'poisson:30/min'].map(parseArrivals)).toEqual([
    { kind: 'saturated' },
    { kind: 'poisson', rate: 5 },
    { kind: 'every', interval: 0.2 },
    { kind: 'poisson', rate: 0.5 }
  ])
})

test.each(['poison:5/s', 'every', 'every:200', 'poisson:0/s', 'every:0s', '', 'saturated:1'])(
  '%s is refused with what would be right',
  text => {
    expect(() => parseArrivals(text)).toThrow(/saturated, poisson:RATE|units:|more than 0/)
  }
)

test('a saturated source has no times of its own, a regular one has multiples of its interval', () => {
  expect(createArrivals({ kind: 'saturated' }, createRng(1))).toBeUndefined()
  const at = createArrivals({ kind: 'every', interval: seconds(0.2) }, createRng(1))!
  expect([at(0), at(5)]).toEqual([0, 1])
})

test('Poisson arrivals ascend, have the asked rate, and are the same for the same seed in whatever order they are asked', () => {
  const draw = (order: readonly number[]): number[] => {
    const at = createArrivals({ kind: 'poisson', rate: 5 }, createRng(3))!
    for (const i of order) at(i)
    return Array.from({ length: 2000 }, (_, i) => at(i))
  }
  const times = draw([])
  expect(draw([1999, 3, 77])).toEqual(times)
  expect(times.every((t, i) => t > (times[i - 1] ?? 0))).toBe(true)
  // The mean of n exponential gaps is within five standard deviations, 5 / sqrt(n).
  expect(Math.abs((times.at(-1)! / 2000) * 5 - 1)).toBeLessThan(5 / Math.sqrt(2000))
})

test('gaps are independent of the rate but for its scale', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0.01, max: 100, noNaN: true }), (seed, rate) => {
      const one = createArrivals({ kind: 'poisson', rate: 1 }, createRng(seed))!(9)
      const other = createArrivals({ kind: 'poisson', rate }, createRng(seed))!(9)
      return Math.abs(other * rate - one) < 1e-9 * Math.max(1, one)
    })
  )
})
