import type { Clock } from './clock.ts'
import type { Seconds } from './units.ts'

/**
 * Do `work`, rest for `interval()`, repeat. Runs never overlap.
 * Ends only by rejecting: with the signal's reason, or with the first error `work` throws.
 */
export const every = async (
  interval: () => Seconds,
  work: (signal: AbortSignal) => Promise<void> | void,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }
): Promise<never> => {
  for (;;) {
    signal.throwIfAborted()
    await work(signal)
    await clock.sleep(interval(), { signal })
  }
}
