import type { Seconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'

/** What is done is told to give up after so long. @throws what `late` says, where it was not done in time */
export const within = async <T>(
  limit: Seconds,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error
): Promise<T> => {
  const over = new AbortController()
  const done = new AbortController()
  const expiry = systemClock.sleep(limit, { signal: done.signal }).then(
    () => {
      over.abort()
      throw late()
    },
    () => new Promise<never>(() => {}) // it was done before
  )
  try {
    return await Promise.race([work(over.signal), expiry])
  } finally {
    done.abort()
  }
}
