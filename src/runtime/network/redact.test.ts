import { describe, expect, it } from 'vitest'
import { createClusterKey } from './cluster-key.ts'
import { encodeInvite } from './invite.ts'
import { parseAddress } from './parse-address.ts'
import { plainText } from './plain-text.ts'
import { redact } from './redact.ts'

const invite = encodeInvite({ key: createClusterKey(), addresses: ['192.168.1.5:6174'] })

describe('a message', () => {
  it.each([
    ['as it is', invite],
    ['without its first letter', invite.slice(1)],
    ['without its beginning', invite.slice('tributary1:'.length)],
    ['with a quote before it', `"${invite}`]
  ])('does not show an invite that was given as an address, %s', (_, text) => {
    const body = invite.slice('tributary1:'.length)
    const message = (() => {
      try {
        parseAddress(text, 'join')
        return 'taken for an address'
      } catch (error) {
        return (error as Error).message
      }
    })()
    expect(message).toMatch(/^cannot join/)
    for (let at = 0; at + 16 <= body.length; at++) expect(message).not.toContain(body.slice(at, at + 16))
  })

  it('shows addresses, ids and files as they are', () => {
    const text =
      '/ip4/192.168.1.5/tcp/6174/p2p/12D3KooWKKZXnAUnpT7Tpn894xcqd8bUpvEF79HrEkFeTbN4VZW7 of /home/somebody/devices/garden-shed/state/cluster.key'
    expect(redact(text)).toBe(text)
  })

  it('of a stranger is one line', () => {
    expect(plainText('you\nare\u001b[2J\u202ewrong\r\n', 100)).toBe('you are [2J wrong')
    expect(plainText('x'.repeat(1000), 200)).toHaveLength(200)
  })
})
