import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { milliseconds, type Seconds, seconds } from '../core/units.ts'

/** Milliseconds: of more a timer of the system makes one. */
const LONGEST = 2 ** 31 - 1

/** The only file allowed to read real time. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  sleep: async (duration, options) => {
    try {
      let left = duration * 1000
      for (; left > LONGEST; left -= LONGEST) await wait(LONGEST, undefined, options)
      await wait(left, undefined, options)
    } catch (error) {
      options?.signal?.throwIfAborted()
      throw error
    }
  }
}

/** Since 1970, as the machine's clock has it: it may be wrong, and jump. For comparing with the times of files. */
export const wallTime = (): Seconds => milliseconds(Date.now())

/** What to add to an instant of `systemClock` to get the machine's own monotonic time, which all its processes share. */
export const machineTimeOffset = (): Seconds => {
  // Between two readings this process may have to wait, and then they seem closer than they are: the largest is right.
  const apart = Array.from({ length: 16 }, () => Number(process.hrtime.bigint()) / 1e9 - performance.now() / 1000)
  return seconds(Math.max(...apart))
}

/** For people: a time since 1970 as a date. */
export const dateOf = (time: Seconds): Date => new Date(time * 1000)

/** The date of this machine, for people who read logs: it may jump, and nothing is decided by it. */
export const wallDate = (): Date => new Date()
