import { expect, test } from 'vitest'
import { parseScenario } from '../core/scenario.ts'
import type { PolicyRun } from '../report/run-report.ts'
import type { PolicyName } from '../scheduler/policies.ts'
import { modelProfiles } from './model-profiles.ts'
import { planScenario } from './planned-scenario.ts'
import { policyPlacement } from './policy-placement.ts'
import { simulatePolicy } from './simulate-policy.ts'

const MIB = 2 ** 20

/** Three devices; the one model has two blocks of 1 MiB, and its source is on `porch`. */
const simulated = async (policy: PolicyName, events: readonly unknown[], memory = '1MiB'): Promise<PolicyRun> => {
  const written = {
    devices: { porch: { memory: '2MiB' }, shed: { memory }, attic: { memory } },
    links: { topology: 'full', default: { bandwidth: '100Mbps', latency: '1ms' } },
    models: {
      toy: {
        blocks: [
          { work: '20ms', weights: '1MiB' },
          { work: '20ms', weights: '1MiB' }
        ],
        activations: ['10KB', '10KB', '1KB']
      }
    },
    sources: [{ name: 'cam', device: 'porch', model: 'toy', arrivals: 'saturated', count: 300 }],
    policy,
    events
  }
  const scenario = parseScenario(written, 'test')
  const profiles = await modelProfiles(scenario, () => {})
  const { problem, outcome, place } = await planScenario(scenario, profiles)
  const table = policyPlacement(problem, outcome, policy)
  return simulatePolicy({ scenario, profiles, policy, seed: 1, table, place }).run
}

const resident = ({ devices }: PolicyRun): number[] => devices.map(({ residentBytes }) => residentBytes / MIB)

test('resident bytes are of what each device carries at the end', async () => {
  const never = { at: '1h', device: 'shed', joins: true }
  expect(resident(await simulated('confluence', [never]))).toEqual([2, 0, 1])
  expect(resident(await simulated('confluence', [{ at: '1s', device: 'attic', leaves: 'kill' }]))).toEqual([2, 1, 0])
  const [, shed] = resident(await simulated('confluence', [{ at: '1s', device: 'shed', joins: true }]))
  expect(shed).toBe(1)
})

test('under local, models are on the devices of their sources alone, whatever happens', async () => {
  const kill = { at: '1s', device: 'shed', leaves: 'kill' }
  const join = { at: '3s', device: 'shed', joins: true }
  for (const events of [[], [kill, join], [join]]) {
    const run = await simulated('local', events, '2MiB')
    expect(resident(run)).toEqual([2, 0, 0])
    expect(run.weightsMoved ?? 0).toBe(0)
  }
})

test('nothing is busy for more than all of the time, also where work goes on after the last result', async () => {
  const { devices, links, sources } = await simulated('confluence', [{ at: '1s', device: 'porch', leaves: 'kill' }])
  expect(sources[0]!.lost).toBeGreaterThan(0)
  for (const { busy } of [...devices, ...links]) expect(busy).toBeLessThanOrEqual(1)
})
