import { generateKeyPairSync, X509Certificate as NodeCertificate, sign } from 'node:crypto'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { generateCertificate, verifyPeerCertificate } from '@libp2p/tls/utils'
import { describe, expect, it } from 'vitest'
import { NetworkError } from '../ports/network.ts'
import { createCertificate, verifyCertificate } from './certificate.ts'
import { createIdentity } from './identity.ts'

const identity = await createIdentity()
const peer = peerIdFromPrivateKey(identity)
const derOf = ({ cert }: { readonly cert: string }): Uint8Array => new NodeCertificate(cert).raw
const DAY = 24 * 3600 * 1000

describe('a certificate', () => {
  it('says who its peer is and which process made it', async () => {
    for (const incarnation of [0n, 1n, 0x80ffn, 2n ** 64n - 1n]) {
      const found = await verifyCertificate(derOf(await createCertificate(identity, incarnation)))
      expect([found.peer.toString(), found.incarnation]).toEqual([peer.toString(), incarnation])
    }
  })

  it('is valid at any time a clock can show, for implementations that look', async () => {
    const { validFrom, validTo } = new NodeCertificate((await createCertificate(identity, 7n)).cert)
    expect([new Date(validFrom).getTime(), new Date(validTo).getUTCFullYear()]).toEqual([0, 9999])
  })

  it.each([
    ['begins tomorrow', DAY, 2 * DAY],
    ['ended yesterday', -2 * DAY, -DAY],
    ['is of 1970', -Date.now(), DAY - Date.now()]
  ])('that %s, by this clock, is as good as any', async (_, from, to) => {
    const validity = { notBefore: new Date(Date.now() + from), notAfter: new Date(Date.now() + to) }
    const raw = derOf(await createCertificate(identity, 7n, validity))
    expect((await verifyCertificate(raw)).peer.equals(peer)).toBe(true)
    await expect(verifyPeerCertificate(raw)).rejects.toThrow(/not valid yet|has expired/) // so the dates are in it
  })

  it("is taken by libp2p's own TLS, and the other way round", async () => {
    const ours = derOf(await createCertificate(identity, 7n))
    expect((await verifyPeerCertificate(ours)).equals(peer)).toBe(true)
    const theirs = derOf(await generateCertificate(identity))
    expect(await verifyCertificate(theirs)).toEqual({ peer, incarnation: undefined })
  })

  it('of which a byte was changed is refused, wherever that is in what was signed', async () => {
    const raw = derOf(await createCertificate(identity, 7n))
    const signedEnd = 8 + Buffer.from(raw).readUInt16BE(6)
    for (let at = 4; at < signedEnd; at++) {
      const changed = Uint8Array.from(raw)
      changed[at] = changed[at]! ^ 0x11
      await expect(verifyCertificate(changed), `byte ${at}`).rejects.toThrow(NetworkError)
    }
  })

  it('that carries the proof of another one is refused', async () => {
    // The same extension, around another key: signed by itself, but not by the peer.
    const raw = Buffer.from(derOf(await createCertificate(identity, 7n)))
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const point = (key: Uint8Array): Uint8Array => key.slice(-65)
    const before = point(new NodeCertificate(raw).publicKey.export({ type: 'spki', format: 'der' }))
    const at = raw.indexOf(before)
    point(other.publicKey.export({ type: 'spki', format: 'der' })).forEach((byte, i) => {
      raw[at + i] = byte
    })
    // Certificate ::= SEQUENCE { SEQUENCE to be signed, algorithm, signature }; both lengths take two bytes.
    const signed = raw.subarray(4, 8 + raw.readUInt16BE(6))
    const signature = sign('sha256', signed, other.privateKey)
    const end = Buffer.concat([
      raw.subarray(4 + signed.length, 4 + signed.length + 12),
      Buffer.from([3, signature.length + 1, 0]),
      signature
    ])
    const head = Buffer.from([0x30, 0x82, 0, 0])
    head.writeUInt16BE(signed.length + end.length, 2)
    await expect(verifyCertificate(Buffer.concat([head, signed, end]))).rejects.toThrow(
      /the peer that it names did not sign it/
    )
  })
})
