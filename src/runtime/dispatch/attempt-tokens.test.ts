import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { seededRandom } from '../../testing/simulated/seeded-random.ts'
import { portableHash } from '../hash/portable-hash.ts'
import { nodeHash } from '../node-hash.ts'
import { AttemptTokens } from './attempt-tokens.ts'

const tokensOf = (life: string, hash = portableHash) => new AttemptTokens(seededRandom(createRng(life)), hash)
const given = { source: 'cam@porch', datum: 7, attempt: 1 }

test('a token is of one attempt of one datum of one source, and of one life of its device', () => {
  const token = tokensOf('one').of(given)
  expect(token).toHaveLength(16)
  const others = [
    { ...given, source: 'door@porch' },
    { ...given, datum: 8 },
    { ...given, attempt: 2 }
  ]
  expect([given, ...others].map(attempt => tokensOf('one').isOf(attempt, token))).toEqual([true, false, false, false])
  expect(tokensOf('another').isOf(given, token)).toBe(false)
  for (const wrong of [token.subarray(1), Uint8Array.of(...token, 0), new Uint8Array()])
    expect(tokensOf('one').isOf(given, wrong)).toBe(false)
})

test('whichever hash a device has, its tokens are the same', () => {
  expect(tokensOf('one', nodeHash).of(given)).toEqual(tokensOf('one').of(given))
})

test('a long name has a token of its own too, and changes no other', () => {
  const tokens = tokensOf('one')
  const before = tokens.of(given)
  const [long, longer] = ['é'.repeat(2000), `${'é'.repeat(2000)}!`].map(source => tokens.of({ ...given, source }))
  expect(long).not.toEqual(longer)
  expect(tokensOf('one').isOf({ ...given, source: 'é'.repeat(2000) }, long!)).toBe(true)
  expect(tokens.of(given)).toEqual(before)
})
