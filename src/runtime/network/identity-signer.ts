import { peerIdFromString } from '@libp2p/peer-id'
import type { Signer } from '../ports/signer.ts'
import type { Identity } from './identity.ts'

/** Signs with the key that the device's id is made of: the id alone has all that is needed to check it. */
export const identitySigner = (identity: Identity): Signer => ({
  sign: async bytes => identity.sign(bytes),
  isValid: async (by, bytes, signature) => {
    try {
      return (await peerIdFromString(by).publicKey?.verify(bytes, signature)) ?? false
    } catch {
      return false
    }
  }
})
