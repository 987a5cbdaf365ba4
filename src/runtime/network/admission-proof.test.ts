import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { type AdmissionFacts, type AdmissionSide, isProof, prove } from './admission-proof.ts'
import { createClusterKey } from './cluster-key.ts'

const side: fc.Arbitrary<AdmissionSide> = fc.record({
  peer: fc.string({ maxLength: 8 }).map(deviceId),
  role: fc.constantFrom('device' as const, 'observer' as const),
  nonce: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  incarnation: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
})
const facts: fc.Arbitrary<AdmissionFacts> = fc.record({ dialler: side, listener: side })
const same = (a: AdmissionFacts, b: AdmissionFacts): boolean => {
  const text = (f: AdmissionFacts) =>
    JSON.stringify(f, (_, v) => (typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? [...v] : v))
  return text(a) === text(b)
}
const key = createClusterKey()

describe('a proof of the cluster key', () => {
  it('holds for its own transcript, side and key, and for no other', () => {
    fc.assert(
      fc.property(facts, facts, (one, other) => {
        const proof = prove(key, 'dialler', one)
        expect(isProof(proof, key, 'dialler', one)).toBe(true)
        expect(isProof(proof, key, 'listener', one)).toBe(false)
        expect(isProof(proof, createClusterKey(), 'dialler', one)).toBe(false)
        expect(isProof(proof, key, 'dialler', other)).toBe(same(one, other))
      })
    )
  })

  it('is not confused by fields that run into each other', () => {
    const fixed = { role: 'device' as const, nonce: new Uint8Array(32), incarnation: 1n }
    const at = (a: string, b: string): AdmissionFacts => ({
      dialler: { peer: deviceId(a), ...fixed },
      listener: { peer: deviceId(b), ...fixed }
    })
    expect(prove(key, 'dialler', at('ab', 'c'))).not.toEqual(prove(key, 'dialler', at('a', 'bc')))
  })

  it.each([0, 31, 33])('is not %i bytes long', length => {
    const side = { peer: deviceId('a'), role: 'device' as const, nonce: new Uint8Array(32), incarnation: 1n }
    expect(isProof(new Uint8Array(length), key, 'dialler', { dialler: side, listener: side })).toBe(false)
  })
})
