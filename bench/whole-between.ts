import type { Rng } from '../src/core/rng.ts'

/** A whole number, each from `low` to `high` equally likely. */
export const wholeBetween = (rng: Rng, low: number, high: number): number =>
  low + Math.floor(rng.next() * (high - low + 1))
