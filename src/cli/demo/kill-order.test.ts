import { expect, test } from 'vitest'
import { parseKillOrder } from './kill-order.ts'

test('a worker and a time in seconds', () => {
  expect(parseKillOrder('attic@2')).toEqual({ device: 'attic', after: 2 })
  expect(parseKillOrder('shed@1.5s')).toEqual({ device: 'shed', after: 1.5 })
  expect(parseKillOrder('shed@250ms')).toEqual({ device: 'shed', after: 0.25 })
})

test.each([
  ['attic', /is not DEVICE@SECONDS; write for example --kill shed@2/],
  ['cellar@2', /no device cellar; workers are shed and attic/],
  ['porch@2', /porch is a source.*shed or attic/],
  ['attic@soon', /"soon" is not a time in seconds/],
  ['attic@-1', /"-1" is not a time in seconds/],
  ['@2', /is not DEVICE@SECONDS/]
])('%s is refused with a remedy', (text, message) => {
  expect(() => parseKillOrder(text)).toThrow(message)
})
