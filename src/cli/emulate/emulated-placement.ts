import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario } from '../../core/scenario.ts'
import { bytes } from '../../core/units.ts'
import { BlockTable } from '../../planner/block-table.ts'
import type { EmulatedRun } from './emulate-policy.ts'

/** The placement that the running cluster had when its run began, to simulate the same. */
export const emulatedPlacement = (
  scenario: Scenario,
  profiles: readonly ModelProfile[],
  problem: ConstructorParameters<typeof BlockTable>[0],
  { placement }: Pick<EmulatedRun, 'placement'>
): BlockTable => {
  // The cluster's own count of memory already held; a table without limits takes what it placed.
  const free = { ...problem, devices: problem.devices.map(d => ({ ...d, memory: bytes(Number.POSITIVE_INFINITY) })) }
  const table = new BlockTable(free)
  for (const [n, { name }] of scenario.devices.entries()) {
    for (const [m, profile] of profiles.entries())
      for (const k of placement[profile.name]?.[name] ?? []) table.put(n, m, k)
  }
  return table
}
