import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHalf, toHalf } from './float16.ts'

test('known values', () => {
  expect([0, 1, -2, 65504, 0.5, 2 ** -24, Number.POSITIVE_INFINITY].map(toHalf)).toEqual([
    0, 0x3c00, 0xc000, 0x7bff, 0x3800, 1, 0x7c00
  ])
})

test('every half that is a number survives both ways', () => {
  const numbers = Array.from({ length: 65536 }, (_, half) => half).filter(half => !Number.isNaN(fromHalf(half)))
  expect(numbers.length).toBe(65536 - 2 * 1023)
  expect(numbers.map(half => toHalf(fromHalf(half)))).toEqual(numbers)
  expect(Number.isNaN(fromHalf(toHalf(Number.NaN)))).toBe(true)
})

test('a number becomes the nearest half; ties to even; too large is infinite', () => {
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), value => {
      const half = toHalf(value)
      const off = Math.abs(fromHalf(half) - value)
      for (const next of [half - 1, half + 1]) {
        const other = fromHalf(next & 0xffff)
        if (Number.isFinite(other) && next >= 0 && next < 65536)
          expect(off).toBeLessThanOrEqual(Math.abs(other - value))
      }
    })
  )
  expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 65520, 2 ** -25].map(toHalf)).toEqual([0x3c00, 0x3c02, 0x7c00, 0])
})
