import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { milliseconds } from '../core/units.ts'

/** The only file allowed to read real time. */
export const systemClock: Clock = {
  now: () => milliseconds(performance.now()),
  sleep: (duration, options) => wait(duration * 1000, undefined, options)
}
