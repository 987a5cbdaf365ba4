import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashOf } from '../runtime/hash/hash-of.ts'
import { portableHash } from '../runtime/hash/portable-hash.ts'
import { nodeHash } from '../runtime/node-hash.ts'

describe.each([
  ['in plain JavaScript', portableHash],
  ['of OpenSSL', nodeHash]
])('a hash %s', (_, hash) => {
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0']
  ])('is SHA-256: FIPS 180-2', (text, digest) => {
    expect(hashOf(hash, text)).toBe(digest)
  })

  test('is of all that was given, however it came', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), pieces => {
        const hashing = hash.begin()
        for (const piece of pieces) hashing.update(piece)
        const whole = Buffer.concat(pieces)
        const expected = createHash('sha256').update(whole).digest('hex')
        expect(hash.of(whole)).toBe(expected)
        expect(hashing.end()).toBe(expected)
      })
    )
  })

  test('two at once do not disturb each other, and what is given may be overwritten', () => {
    const [a, b] = [hash.begin(), hash.begin()]
    const bytes = new TextEncoder().encode('abc')
    a.update(bytes)
    b.update(bytes.subarray(0, 1))
    bytes.fill(0)
    expect(a.end()).toBe(hashOf(hash, 'abc'))
    expect(b.end()).toBe(hashOf(hash, 'a'))
  })
})
