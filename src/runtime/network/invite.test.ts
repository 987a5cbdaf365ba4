import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { createClusterKey } from './cluster-key.ts'
import { decodeInvite, encodeInvite, inviteAddresses, isInvite } from './invite.ts'

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

describe('the addresses of an invite', () => {
  const id = '/p2p/12D3KooWKKZXnAUnpT7Tpn894xcqd8bUpvEF79HrEkFeTbN4VZW7'

  it("are the device's own, then in turn those of others, short, and of other machines where there are any", () => {
    const own = [`/ip4/127.0.0.1/tcp/6174${id}`, `/ip4/192.168.1.5/tcp/6174${id}`, `/ip6/2001:db8::5/tcp/6174${id}`]
    const others = [
      ['/ip4/127.0.0.1/tcp/6174', '/ip4/192.168.1.6/tcp/6174', '/ip4/10.0.0.6/tcp/6174'],
      ['/ip6/fe80::1/tcp/6174', '/dns/porch.local/tcp/7000', '/ip4/192.168.1.5/tcp/6174']
    ]
    expect(inviteAddresses(own, others)).toEqual([
      '192.168.1.5:6174',
      '[2001:db8::5]:6174',
      '192.168.1.6:6174',
      'porch.local:7000',
      '10.0.0.6:6174'
    ])
    expect(inviteAddresses([`/ip4/127.0.0.1/tcp/4001${id}`])).toEqual(['127.0.0.1:4001'])
  })

  it('are few enough to be pasted, and all good to join', () => {
    const own = Array.from({ length: 30 }, (_, i) => `/ip4/10.0.0.${i}/tcp/6174`)
    const others = Array.from({ length: 64 }, (_, n) => [`/ip4/10.0.1.${n}/tcp/6174`])
    const addresses = inviteAddresses(own, others)
    expect([addresses.length, addresses.filter(text => text.startsWith('10.0.0.')).length]).toEqual([16, 8])
    const key = createClusterKey()
    expect(decodeInvite(encodeInvite({ key, addresses }))).toEqual({ key, addresses })
    expect(encodeInvite({ key, addresses }).length).toBeLessThan(600)
  })
})

it('an address of another transport than TCP is in an invite as it is', () => {
  const ws = '/ip4/192.168.1.5/tcp/443/tls/ws'
  expect(
    inviteAddresses([`${ws}/p2p/12D3KooWB5PNsrSfsBojpCNgaUxhRm5xpUh3GTnWXy5nDfQVPNsX`, '/ip4/192.168.1.5/tcp/6174'])
  ).toEqual([ws, '192.168.1.5:6174'])
  expect(decodeInvite(encodeInvite({ ...invite, addresses: [ws] })).addresses).toEqual([ws])
})
