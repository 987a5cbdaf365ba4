import { type Seconds, seconds } from '../core/units.ts'

/** How often a device looks after its blocks, its sources, and whether to plan. */
export const TICK: Seconds = seconds(0.1)

/** And where nothing has happened for a while, unless something does. */
export const RESTING_TICK: Seconds = seconds(0.5)

/** How often a link whose measure may be old is tried, where few devices are connected. */
export const PING_EVERY: Seconds = seconds(0.5)
