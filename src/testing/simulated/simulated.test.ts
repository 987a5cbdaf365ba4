import { expect, test } from 'vitest'
import { describeBroken, runSeeds } from './run-seeds.ts'
import { range, scenarioOf } from './scenario.ts'
import { shrinkFaults } from './shrink-faults.ts'
import { simulateDevices } from './simulate-devices.ts'

test('the same seed gives the same log, byte for byte, and another seed another', async () => {
  for (const seed of [3, 200]) {
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
      ...['partition', 'power', 'reset', 'slow', 'slowDisk', 'slowSink'],
      ...['slowWire', 'stick', 'swap', 'twice', 'wallJump']
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

test('a datum that no device can compute is given up whatever its policy, and its source ends', async () => {
  const { ran, broken } = await runSeeds(seedsWithPoison())
  expect(broken.map(describeBroken).join('\n\n')).toBe('')
  expect(ran).toBe(6)
})

/** Of policies that choose anew on the way, and of models whose first block is pinned. */
const seedsWithPoison = (): number[] => {
  const scenarios = range(3000).map(scenarioOf)
  const poisoned = scenarios.filter(({ sources }) => sources.some(({ poison }) => poison.length > 0))
  const anew = poisoned.filter(({ policy }) => policy === 'ms-mdi' || policy === 'pa-mdi')
  const pinned = poisoned.filter(({ models }) => models.every(({ isPinned }) => isPinned === true))
  return [...anew.slice(0, 3), ...pinned.slice(0, 3)].map(({ seed }) => seed)
}
