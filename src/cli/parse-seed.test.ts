import { expect, test } from 'vitest'
import { parseSeed } from './parse-seed.ts'

test('a seed is any whole number that a number can hold', () => {
  expect(['0', '1', '1234567890', '9007199254740991', ' 7 '].map(text => parseSeed(text))).toEqual([
    ...[0, 1, 1_234_567_890, Number.MAX_SAFE_INTEGER, 7]
  ])
  for (const text of ['', '-1', '1.5', '1e3', 'one', '9007199254740992'])
    expect(() => parseSeed(text)).toThrow(`--seed "${text}" is not a whole number from 0 to 9007199254740991`)
})

test('of several seeds the last one must be told from the one before', () => {
  expect(parseSeed('9007199254740982', 10)).toBe(9007199254740982)
  expect(() => parseSeed('9007199254740983', 10)).toThrow(/from 0 to 9007199254740982, for 10 seeds from there on$/)
})
