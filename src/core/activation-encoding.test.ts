import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACTIVATION_ENCODINGS, chooseEncoding, encodedRate } from './activation-encoding.ts'
import { bytesPerSecond, megabitsPerSecond } from './units.ts'

/** About what the codecs take on a small machine. */
const costs = { fp32: 0, fp16: 2.6e-9, int8: 2.8e-9 }

test('auto keeps a fast link exact and sends less on a slow one', () => {
  const at = (megabits: number) => chooseEncoding('auto', megabitsPerSecond(megabits), costs)
  expect([10_000, 1000, 100, 5].map(at)).toEqual(['fp32', 'int8', 'int8', 'int8'])
})

test('auto does not lose exactness for less than a fifth of the time', () => {
  const rate = bytesPerSecond(1e9)
  expect(chooseEncoding('auto', rate, { fp32: 0, fp16: 0.31e-9, int8: 0.56e-9 })).toBe('fp32')
  expect(chooseEncoding('auto', rate, { fp32: 0, fp16: 0.29e-9, int8: 0.5e-9 })).toBe('fp16')
  expect(chooseEncoding('auto', rate, { fp32: 0, fp16: 0.29e-9, int8: 0.3e-9 })).toBe('int8')
})

test('what is asked for is taken, whatever it costs', () => {
  for (const encoding of ACTIVATION_ENCODINGS)
    expect(chooseEncoding(encoding, bytesPerSecond(1e12), costs)).toBe(encoding)
})

test('a link carries at most as many times more as it sends fewer bytes, and what auto chooses is never slower', () => {
  const positive = (max: number) => fc.double({ min: 1, max, noNaN: true })
  fc.assert(
    fc.property(
      positive(1e11),
      positive(100),
      positive(100),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (r, a, b, s) => {
        const rate = bytesPerSecond(r)
        const codec = { fp32: 0, fp16: a * 1e-10, int8: b * 1e-10 }
        expect(encodedRate('fp32', rate, codec, s)).toBe(rate)
        expect(encodedRate('int8', rate, codec, s)).toBeLessThanOrEqual(rate * 4 * (1 + 1e-9))
        expect(encodedRate('fp16', rate, codec, s)).toBeLessThanOrEqual(rate * 2 * (1 + 1e-9))
        const chosen = chooseEncoding('auto', rate, codec)
        expect(encodedRate(chosen, rate, codec)).toBeGreaterThanOrEqual(rate * (1 - 1e-9))
      }
    )
  )
})
