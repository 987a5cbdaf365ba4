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

test('a quantity that nothing has is refused with the limit', () => {
  for (const [parse, text, limit] of [
    [parseTime, '1e400s', 'at most 1e9s'],
    [parseTime, '1e9min', 'at most 1e9s'],
    [parseSize, '1e308GB', 'at most 1e6GB'],
    [parseRate, '1e-308bps', 'from 1bps to 1e6Gbps'],
    [parseRate, '1e99Gbps', 'from 1bps to 1e6Gbps'],
    [parseFrequency, '1e-12/s', 'from 1e-9/s to 1e6/s']
  ] as const)
    expect(() => parse(text)).toThrow(`"${text}" is out of range: ${limit}`)
  expect([parseTime('0s'), parseTime('1e9s'), parseFrequency('0/s')]).toEqual([0, 1e9, 0])
})

test('a quantity without its unit, or with another kind of unit, is refused with the units', () => {
  for (const wrong of ['3', '3 parsecs', '-1s', 'ms', '1e999zz', '3toString']) {
    expect(() => parseTime(wrong)).toThrow(/units: s, ms, us, min, h/)
  }
  expect(() => parseSize('20Mbps')).toThrow(/units: B, KB/)
})
