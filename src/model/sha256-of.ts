import { createHash } from 'node:crypto'

/** Some milliseconds of hashing. */
const PIECE = 1 << 23

/** In lower-case hex. Two gigabytes take seconds: between pieces others have their turn, Ctrl-C among them. */
export const sha256Of = async (bytes: Uint8Array): Promise<string> => {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (at > 0) await new Promise<void>(resolve => setImmediate(resolve))
    hash.update(bytes.subarray(at, at + PIECE))
  }
  return hash.digest('hex')
}
