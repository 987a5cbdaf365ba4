import { describe, expect, test } from 'vitest'
import type { Fault } from './fault.ts'
import { runSeeds } from './run-seeds.ts'
import { range, scenarioOf } from './scenario.ts'
import { shrinkFaults } from './shrink-faults.ts'
import { simulateDevices } from './simulate-devices.ts'

test('the same seed gives the same log, byte for byte, and another seed another', async () => {
  for (const seed of [3, 64, 77]) {
    const once = await simulateDevices(seed)
    const again = await simulateDevices(seed)
    expect(again.log.join('\n')).toBe(once.log.join('\n'))
    expect(once.log.length).toBeGreaterThan(30)
  }
  expect((await simulateDevices(3)).log).not.toEqual((await simulateDevices(4)).log)
})

test('seeds bring every kind of fault, alone and several at once', () => {
  const scenarios = range(500).map(scenarioOf)
  const kinds = new Set(scenarios.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
  expect([...kinds].sort()).toEqual(
    [
      ...['absent', 'crash', 'cut', 'disconnect', 'fail', 'fullDisk', 'fullSink', 'gone', 'hang', 'itemsAway', 'leave'],
      ...['partition', 'power', 'reset', 'slow', 'slowSink', 'slowWire', 'stick', 'swap', 'wallJump']
    ].sort()
  )
  expect(scenarios.some(({ faults }) => faults.length === 0)).toBe(true)
  expect(scenarios.some(({ faults }) => faults.length >= 7)).toBe(true)
})

test('a list of faults is shrunk to those that it takes', async () => {
  const faults = range(9)
  const { faults: least, tries } = await shrinkFaults(faults, async fewer => fewer.includes(2) && fewer.includes(7))
  expect(least).toEqual([2, 7])
  expect(tries).toBeLessThan(40)
})

describe('bugs that simulated time found', () => {
  const keepsLaws = async (seed: number, faults?: readonly Fault[]): Promise<void> => {
    const { broken } = await simulateDevices(seed, faults === undefined ? {} : { faults })
    expect(broken).toEqual([])
  }

  test('a datum that no device can compute is given up though its policy chooses anew before it sends', async () => {
    const { broken } = await runSeeds(SEEDS_WITH_POISON)
    expect(broken.map(({ seed, broken: laws }) => `${seed}: ${laws.join()}`)).toEqual([])
  })

  test('a device that comes home from a partition sends again though it had asked before it was cut off', () =>
    keepsLaws(28))
})

/** Of policies that choose anew, with data that no device can compute. */
const SEEDS_WITH_POISON = range(2000)
  .filter(seed => {
    const { policy, sources } = scenarioOf(seed)
    return ['ms-mdi', 'pa-mdi'].includes(policy) && sources.some(({ poison }) => poison.length > 0)
  })
  .slice(0, 8)
