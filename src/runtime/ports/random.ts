/**
 * Chance that nobody foretells: keys, nonces, and what one life of a process is told apart by. What is to come out the same
 * each time, arrivals and jitter, is drawn from a seeded `Rng` instead.
 */
export interface Random {
  /** So many bytes, in a buffer of their own. */
  bytes(count: number): Uint8Array<ArrayBuffer>
}
