import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Hash } from '../ports/hash.ts'

/** In plain JavaScript, wherever a device runs: for what is small. */
export const portableHash: Hash = {
  begin: () => {
    const hashing = sha256.create()
    return {
      update: bytes => {
        hashing.update(bytes)
      },
      end: () => bytesToHex(hashing.digest())
    }
  },
  of: bytes => bytesToHex(sha256(bytes))
}
