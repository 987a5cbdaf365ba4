import type { Clock } from '../../../core/clock.ts'
import { deferred } from '../../../core/deferred.ts'
import type { Seconds } from '../../../core/units.ts'
import { Undelivered } from './deliver.ts'

export interface TimeLimit {
  readonly timeout: Seconds
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What is late, or no longer wanted, is told by its signal, and not waited for. @throws Undelivered when it is late */
export const withinTime = async <T>(
  { timeout, clock, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  const late = new AbortController()
  const done = new AbortController()
  const over = deferred<never>()
  const either = AbortSignal.any([signal, late.signal])
  either.addEventListener('abort', () => over.reject(new Undelivered(`has not answered within ${timeout} s`)))
  const timer = clock.sleep(timeout, { signal: done.signal }).then(
    () => late.abort(),
    () => {}
  )
  try {
    either.throwIfAborted()
    return await Promise.race([over.promise, work(either)])
  } finally {
    done.abort()
    await timer
  }
}
