import { expect, test } from 'vitest'
import { harmless } from './harmless.ts'

test('names that others chose do not move the cursor, ring, or turn the writing round; lines stay lines', () => {
  expect(harmless('por\x1b[2Jch\nshed\r\x07\x9b31m\u202Egnp\u2028')).toBe('por?[2Jch\nshed???31m?gnp?')
  expect(harmless('Tür ▓ 門 █░ µs')).toBe('Tür ▓ 門 █░ µs')
})
