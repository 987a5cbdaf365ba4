import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeSummary } from './time-summary.ts'

test('percentiles are values that were measured, by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(timeSummary(hundred)).toEqual({ mean: 50.5, p50: 50, p95: 95, p99: 99 })
  expect(timeSummary([7])).toEqual({ mean: 7, p50: 7, p95: 7, p99: 7 })
})

test('nothing measured is not zero', () => {
  expect(timeSummary([])).toEqual({ mean: Number.NaN, p50: Number.NaN, p95: Number.NaN, p99: Number.NaN })
})

test('percentiles are ordered and within the values, whatever the order of measuring', () => {
  const times = fc.array(fc.double({ min: 0, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(times, values => {
      const { p50, p95, p99 } = timeSummary(values)
      const inside = [p50, p95, p99].every(p => values.includes(p))
      const half = values.filter(value => value <= p50).length >= values.length / 2
      return inside && half && p50 <= p95 && p95 <= p99
    })
  )
})
