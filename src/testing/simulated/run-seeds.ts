import type { Fault } from './fault.ts'
import { shrinkFaults } from './shrink-faults.ts'
import { type SimulationOptions, simulateDevices } from './simulate-devices.ts'

export interface BrokenSeed {
  readonly seed: number
  readonly broken: readonly string[]
  /** As few as it takes. */
  readonly faults: readonly Fault[]
  readonly log: readonly string[]
}

/** One after the other. @param enough ends after so many that break a law */
export const runSeeds = async (
  seeds: Iterable<number>,
  options: SimulationOptions = {},
  enough = 3,
  say: (broken: BrokenSeed) => void = () => {}
): Promise<{
  readonly ran: number
  readonly events: number
  readonly longest: number
  readonly broken: readonly BrokenSeed[]
}> => {
  const broken: BrokenSeed[] = []
  let ran = 0
  let events = 0
  let longest = 0
  for (const seed of seeds) {
    if (broken.length >= enough) break
    const outcome = await simulateDevices(seed, options)
    ran++
    events += outcome.events
    longest = Math.max(longest, outcome.calm)
    if (outcome.broken.length === 0) continue
    const { faults } = await shrinkFaults(outcome.scenario.faults, async fewer => {
      const again = await simulateDevices(seed, { ...options, faults: fewer })
      return again.broken.length > 0
    })
    const least = await simulateDevices(seed, { ...options, faults })
    const found = { seed, broken: outcome.broken, faults, log: least.log }
    broken.push(found)
    say(found)
  }
  return { ran, events, longest, broken }
}

/** For people: what broke, how to see it again, and what happened. */
export const describeBroken = ({ seed, broken, faults, log }: BrokenSeed): string =>
  [
    `seed ${seed}: ${broken.join('; ')}`,
    `replay: npm run test:simulated -- --seed ${seed}`,
    `it takes these faults: ${JSON.stringify(faults)}`,
    ...log
  ].join('\n')
