import { type Seconds, seconds } from '../core/units.ts'

/**
 * A process that waits for one of two processors that serve all devices waits for 1 to 20 ms, for 50 at times. What takes
 * longer is no turn: the machine cannot keep up.
 */
const LONGEST_TURN: Seconds = seconds(0.05)

/**
 * When an emulated run counts as begun: as soon as its device was free and its inputs were there. Between two runs this
 * machine takes a turn through a thread, which serves all else too, and a processor, which serves all the other devices.
 * @param freeSince may be a little later than now, of a timer that fired early
 * @param ready when its inputs were there; undefined: now
 */
export const emulatedStart = (freeSince: number, ready: number | undefined, now: number): Seconds =>
  seconds(Math.max(freeSince, Math.min(now, Math.max(ready ?? now, now - LONGEST_TURN))))

/**
 * When an emulated run that was to end at `deadline` counts as ended: then, when this machine got to it a turn later at
 * most. What is late goes out late; the device is free for its next run in time.
 */
export const emulatedEnd = (deadline: number, now: number): Seconds => seconds(Math.max(deadline, now - LONGEST_TURN))
