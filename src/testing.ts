/**
 * For tests of what is built on this package: time that a test moves, and whole clusters of real devices in memory, on one
 * clock, with faults of one seed.
 *
 * @module
 */
export type { Clock } from './core/clock.ts'
export { type Seconds, seconds } from './core/units.ts'
export { createManualClock, type ManualClock } from './testing/manual-clock.ts'
export type { Fault } from './testing/simulated/fault.ts'
export type { SimulatedScenario } from './testing/simulated/scenario.ts'
export {
  type SimulationOptions,
  type SimulationOutcome,
  simulateDevices
} from './testing/simulated/simulate-devices.ts'
