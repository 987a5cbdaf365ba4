import type { Rng } from '../../core/rng.ts'
import type { Random } from '../../runtime/ports/random.ts'

/** The same bytes for the same seed: for tests, and for nothing that is to be kept secret. */
export const seededRandom = (rng: Rng): Random => ({
  bytes: count => Uint8Array.from({ length: count }, () => Math.floor(256 * rng.next()))
})
