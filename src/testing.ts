/**
 * For tests of what is built on this package: time that a test moves.
 *
 * @module
 */
export type { Clock } from './core/clock.ts'
export { type Seconds, seconds } from './core/units.ts'
export { createManualClock, type ManualClock } from './testing/manual-clock.ts'
