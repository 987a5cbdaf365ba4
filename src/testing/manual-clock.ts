import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'

interface Sleeper {
  readonly at: Seconds
  readonly seq: number
  readonly wake: () => void
}

/** A clock whose time the test moves. Sleepers wake in the order of their time, then of their going to sleep. */
export interface ManualClock extends Clock {
  /**
   * Move on by `duration`, waking on the way whoever is due; what a sleeper does when woken happens before the time
   * goes on, so that it can sleep again within the same advance.
   */
  advance(duration: Seconds): Promise<void>
}

/** Lets everything that can go on without time passing go on: a macrotask comes after all microtasks. */
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** @param lateness how much too late each sleeper is woken, as real timers are */
export const createManualClock = (lateness: () => Seconds = () => seconds(0)): ManualClock => {
  let now = seconds(0)
  let seq = 0
  const sleepers = new Set<Sleeper>()
  const next = (until: Seconds): Sleeper | undefined =>
    [...sleepers].filter(s => s.at <= until).sort((a, b) => a.at - b.at || a.seq - b.seq)[0]
  return {
    now: () => now,
    sleep: (duration, options) =>
      new Promise((resolve, reject) => {
        const signal = options?.signal
        if (signal?.aborted) return reject(signal.reason)
        const abort = (): void => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const wake = (): void => {
          sleepers.delete(sleeper)
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const sleeper = { at: seconds(now + Math.max(0, duration) + lateness()), seq: seq++, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', abort, { once: true })
      }),
    advance: async duration => {
      const end = seconds(now + duration)
      await settle()
      for (let sleeper = next(end); sleeper !== undefined; sleeper = next(end)) {
        now = seconds(Math.max(now, sleeper.at))
        sleeper.wake()
        await settle()
      }
      now = end
    }
  }
}
