import { expect, test } from 'vitest'
import { parseFrequency, parseRate, parseSize, parseTime } from './parse-quantity.ts'

test('quantities come out in SI base units', () => {
  expect([
    parseTime('3ms'),
    parseTime('1.5 s'),
    parseSize('64MiB'),
    parseSize('4KB'),
    parseRate('20Mbps'),
    parseFrequency('5/s')
  ]).toEqual([0.003, 1.5, 67108864, 4000, 2.5e6, 5])
})

test('a quantity without its unit, or with another kind of unit, is refused with the units', () => {
  for (const wrong of ['3', '3 parsecs', '-1s', 'ms', '1e999zz', '3toString']) {
    expect(() => parseTime(wrong)).toThrow(/units: s, ms, us, min, h/)
  }
  expect(() => parseSize('20Mbps')).toThrow(/units: B, KB/)
})
