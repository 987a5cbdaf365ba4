import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test('a mistyped word finds the one that was meant', () => {
  expect(nearest('bandwith', ['bandwidth', 'latency', 'both'])).toBe('bandwidth')
  expect(nearest('conflunce', ['local', 'ddi', 'confluence'])).toBe('confluence')
})

test('a word that is near to nothing finds nothing', () => {
  expect(nearest('zzzzzzzz', ['bandwidth', 'latency'])).toBeUndefined()
})
