import { createHash, hash } from 'node:crypto'
import type { Hash } from './ports/hash.ts'

/** OpenSSL's, with the processor's own instructions: for weights. */
export const nodeHash: Hash = {
  begin: () => {
    const hashing = createHash('sha256')
    return {
      update: bytes => {
        hashing.update(bytes)
      },
      end: () => hashing.digest('hex')
    }
  },
  of: bytes => hash('sha256', bytes, 'hex')
}
