import { describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { isAddress, keptAddress, parseAddress } from './parse-address.ts'

const ID = '12D3KooWB5PNsrSfsBojpCNgaUxhRm5xpUh3GTnWXy5nDfQVPNsX'

describe('an address', () => {
  it.each([
    ['127.0.0.1:0', '/ip4/127.0.0.1/tcp/0'],
    ['localhost:4001', '/ip4/127.0.0.1/tcp/4001'],
    [':4001', '/ip4/0.0.0.0/tcp/4001'],
    ['[::1]:4001', '/ip6/::1/tcp/4001'],
    ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0'],
    [` /ip4/10.0.0.1/tcp/5/p2p/${ID} `, '/ip4/10.0.0.1/tcp/5']
  ])('to listen on: %s', (text, address) => {
    expect(parseAddress(text, 'listen').toString()).toBe(address)
  })

  it.each([
    ['192.168.1.5:4001', '/ip4/192.168.1.5/tcp/4001'],
    ['porch.local:4001', '/dns/porch.local/tcp/4001'],
    ['[fe80::1]:9', '/ip6/fe80::1/tcp/9'],
    [`/dns4/porch/tcp/7/p2p/${ID}`, `/dns4/porch/tcp/7/p2p/${ID}`]
  ])('to join: %s', (text, address) => {
    expect(parseAddress(text, 'join').toString()).toBe(address)
  })

  it.each([
    ['', 'join', 'no port'],
    ['porch', 'join', 'no port'],
    ['1.2.3.4', 'listen', 'no port'],
    ['1.2.3.4:70000', 'listen', 'port "70000"'],
    ['1.2.3.4:x', 'join', 'port "x"'],
    ['1.2.3.4:', 'join', 'port ""'],
    ['1.2.3.4:0', 'join', 'port 0 cannot be dialled'],
    [':4001', 'join', 'neither an IP address nor a host name'],
    ['porch.local:4001', 'listen', 'not an IP address of this machine'],
    ['a b:4001', 'join', 'neither'],
    ['::1:4001', 'join', 'no port'],
    ['/ip4/1.2.3.4', 'join', 'only /tcp'],
    ['/ip4/1.2.3.4/udp/1/quic-v1', 'join', 'only /tcp'],
    ['/ip4/1.2.3.4/tcp/1/ws', 'listen', '/ws is not known'],
    ['/ip4/999.2.3.4/tcp/1', 'listen', '999.2.3.4'],
    ['/unix/tmp', 'listen', 'must begin'],
    ['/nonsense', 'join', 'nonsense'],
    [`/ip4/1.2.3.4/tcp/1/p2p/xyz`, 'join', 'xyz']
  ] as const)('is refused with a reason: %s to %s', (text, use, because) => {
    expect(() => parseAddress(text, use)).toThrow(UserError)
    expect(() => parseAddress(text, use)).toThrow(because)
  })
})

describe('an address of a device', () => {
  it.each([
    ['192.168.1.5:4001', '/ip4/192.168.1.5/tcp/4001'],
    [`/dns4/porch/tcp/7/p2p/${ID}`, '/dns4/porch/tcp/7'],
    [`/ip4/1.2.3.4/tcp/443/tls/ws/p2p/${ID}`, '/ip4/1.2.3.4/tcp/443/tls/ws'],
    ['/ip4/1.2.3.4/udp/1/quic-v1', '/ip4/1.2.3.4/udp/1/quic-v1'],
    ['/ip4/1.2.3.4/udp/1/of-the-next-decade/1', '/ip4/1.2.3.4/udp/1/of-the-next-decade/1'],
    [`/ip4/1.2.3.4/tcp/1/p2p/${ID}/p2p-circuit/p2p/${ID}`, `/ip4/1.2.3.4/tcp/1/p2p/${ID}/p2p-circuit`]
  ])('is kept without the peer, whoever can dial it: %s', (text, kept) => {
    expect(keptAddress(text)).toEqual([kept])
    expect(keptAddress(kept)).toEqual([kept])
    expect(isAddress(text)).toBe(true)
  })

  it.each([
    '',
    'nowhere',
    '/nonsense',
    '/ip4/1.2.3.4/tcp/70000',
    '/ip4/1.2.3.4/tcp/1/p2p/xyz',
    '/ip4/999.2.3.4/tcp/1',
    '/ip4/1.2.3.4/udp/1/a b',
    '/ip4/1.2.3.4/udp/1/\u001b[2J',
    '/fancy/x',
    `/ip4/1.2.3.4/udp/1/${'x'.repeat(600)}`
  ])('is none: %s', text => {
    expect(isAddress(text)).toBe(false)
  })
})
