import type { Seconds } from './units.ts'

/** Time, as whoever is given it has it. */
export interface Clock {
  /** Monotonic. Only differences mean anything. */
  now(): Seconds
  /** Resolves after `duration`; rejects with the signal's reason if `signal` aborts first. */
  sleep(duration: Seconds, options?: { readonly signal?: AbortSignal }): Promise<void>
}
