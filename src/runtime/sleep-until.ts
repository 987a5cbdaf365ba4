import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'

/** Timers of the system tick in milliseconds: half of one early or late is as exact as they get without spinning. */
const TOLERANCE: Seconds = seconds(0.0005)
/** Timers of the system wake at once when asked for more than 24 days. */
const LONGEST: Seconds = seconds(86_400)

/** Sleep until an instant of the clock, though its timers wake early or late. @throws the signal's reason when aborted */
export const sleepUntil = async (clock: Clock, instant: Seconds, signal: AbortSignal): Promise<void> => {
  for (;;) {
    signal.throwIfAborted()
    const left = instant - clock.now()
    if (left <= TOLERANCE + 1e-9) return // the 1e-9: adding a rounding error to the time would not move it
    await clock.sleep(seconds(Math.min(left - TOLERANCE, LONGEST)), { signal })
  }
}
