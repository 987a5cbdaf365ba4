import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, test } from 'vitest'
import { type DeviceId, deviceId } from '../core/ids.ts'
import { createIdentity } from '../runtime/network/identity.ts'
import { identitySigner } from '../runtime/network/identity-signer.ts'
import type { Signer } from '../runtime/ports/signer.ts'
import { memorySigner } from './simulated/memory-signer.ts'

interface Signing {
  readonly self: DeviceId
  readonly signer: Signer
}

const withKey = async (): Promise<Signing> => {
  const identity = await createIdentity()
  return { self: deviceId(peerIdFromPrivateKey(identity).toString()), signer: identitySigner(identity) }
}
let count = 0
const inMemory = async (): Promise<Signing> => {
  const self = deviceId(`device ${count++}`)
  return { self, signer: memorySigner(self) }
}

const TEXT = new TextEncoder().encode('what is signed')

describe.each([
  ['a device key', withKey],
  ['memory', inMemory]
])('what is signed with %s', (_, open) => {
  test('is valid to whoever has the id of its signer, and to nobody as that of another', async () => {
    const [alpha, beta] = [await open(), await open()]
    const signature = await alpha.signer.sign(TEXT)
    expect(await beta.signer.isValid(alpha.self, TEXT, signature)).toBe(true)
    expect(await alpha.signer.isValid(alpha.self, TEXT, signature)).toBe(true)
    expect(await alpha.signer.isValid(beta.self, TEXT, signature)).toBe(false)
  })

  test('is not valid once a byte of it, or of its signature, is another, nor cut off, nor of what is no id', async () => {
    const { self, signer } = await open()
    const signature = await signer.sign(TEXT)
    const [text, forged] = [TEXT.slice(), signature.slice()]
    text[3]! ^= 1
    forged[3]! ^= 1
    expect(await signer.isValid(self, text, signature)).toBe(false)
    expect(await signer.isValid(self, TEXT, forged)).toBe(false)
    expect(await signer.isValid(self, TEXT, signature.slice(1))).toBe(false)
    expect(await signer.isValid(self, TEXT, new Uint8Array())).toBe(false)
    expect(await signer.isValid(deviceId('no id'), TEXT, signature)).toBe(false)
  })
})
