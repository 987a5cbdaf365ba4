import type { DeviceId } from '../../core/ids.ts'
import { hashOf } from '../../runtime/hash/hash-of.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'
import type { Signer } from '../../runtime/ports/signer.ts'

/** Of a device in memory: its secret is its own as long as nobody looks here. */
export const memorySigner = (self: DeviceId): Signer => ({
  sign: async bytes => new TextEncoder().encode(signatureOf(self, bytes)),
  isValid: async (by, bytes, signature) => new TextDecoder().decode(signature) === signatureOf(by, bytes)
})

const signatureOf = (device: DeviceId, bytes: Uint8Array): string =>
  hashOf(portableHash, `secret of ${device} ${hashOf(portableHash, bytes)}`)
