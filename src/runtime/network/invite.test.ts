import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { createClusterKey } from './cluster-key.ts'
import { decodeInvite, encodeInvite, isInvite } from './invite.ts'

const invite = { key: createClusterKey(), addresses: ['/ip4/192.168.1.5/tcp/4001', 'porch.local:4001'] }
const text = encodeInvite(invite)
const forge = (payload: unknown): string => `tributary1:${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
const k = Buffer.from(invite.key).toString('base64url')

describe('an invite', () => {
  it('is one word that says what was put into it', () => {
    expect(text).toMatch(/^tributary1:[\w-]+$/)
    expect(isInvite(text)).toBe(true)
    expect(isInvite('192.168.1.5:4001')).toBe(false)
    expect(decodeInvite(`  ${text}\n`)).toEqual(invite)
  })

  it.each([
    ['nothing', '', /begins with/],
    ['something else', 'https://example.org', /begins with/],
    ['a part of one', text.slice(0, -20), /damaged or cut off/],
    ['no JSON', 'tributary1:aGVsbG8', /damaged or cut off/],
    ['a short key', forge({ k: 'AAAA', a: [] }), /key is wrong/],
    ['no addresses', forge({ k }), /addresses is wrong/],
    ['an address that is none', forge({ k, a: ['nowhere'] }), /addresses is wrong/],
    ['more than an invite', forge({ k, a: [], extra: 1 }), /content is wrong/]
  ])('is refused when it is %s', (_, wrong, because) => {
    expect(() => decodeInvite(wrong)).toThrow(UserError)
    expect(() => decodeInvite(wrong)).toThrow(because)
  })

  it('never throws anything else, and never shows the key', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, insert) => {
        try {
          decodeInvite(text.slice(0, at) + insert + text.slice(at + 1))
        } catch (error) {
          expect(error).toBeInstanceOf(UserError)
          expect((error as Error).message).not.toContain(k.slice(0, 16))
        }
      })
    )
  })
})
