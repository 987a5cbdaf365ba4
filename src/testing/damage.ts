import type { Rng } from '../core/rng.ts'

/** What damages bytes: each to be told apart from what they were. */
const below = (rng: Rng, most: number): number => Math.floor(rng.next() * most)
/** Numbers that lengths, counts and offsets are wrong about. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff]

/**
 * Of a valid sample another that may be none: bits are turned over, bytes made extreme, pieces cut out, doubled or put
 * elsewhere, and the end is cut off. The same of the same seed.
 */
export const damaged = (sample: Uint8Array, rng: Rng): Uint8Array<ArrayBuffer> => {
  let bytes = Uint8Array.from(sample)
  for (let times = 1 + below(rng, 4); times > 0 && bytes.length > 0; times--) bytes = once(bytes, rng)
  return bytes
}

const once = (bytes: Uint8Array<ArrayBuffer>, rng: Rng): Uint8Array<ArrayBuffer> => {
  // Headers are at the front: half of all damage is done there.
  const at = rng.next() < 0.5 ? below(rng, Math.min(64, bytes.length)) : below(rng, bytes.length)
  const length = 1 + below(rng, Math.min(16, bytes.length - at))
  switch (below(rng, 6)) {
    case 0:
      return bytes.with(at, bytes[at]! ^ (1 << below(rng, 8)))
    case 1:
      return bytes.with(at, EXTREMES[below(rng, EXTREMES.length)]!)
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)])
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)])
    case 4:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...bytes.subarray(at, at + length).fill(255),
        ...bytes.subarray(at)
      ])
    default:
      return bytes.slice(0, at)
  }
}
