import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { createRng } from '../../core/rng.ts'
import { seconds } from '../../core/units.ts'
import { notice } from '../../runtime/device/notice.ts'
import { AttemptTokens } from '../../runtime/dispatch/attempt-tokens.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'
import { EventClock } from './event-clock.ts'
import type { Fault } from './fault.ts'
import { createSinkDisk, entriesOn, MemorySink } from './memory-sink.ts'
import { ProcessClock } from './process-clock.ts'
import { ResendLaw } from './resend-law.ts'
import { describeBroken, runSeeds } from './run-seeds.ts'
import { range, type SimulatedScenario, scenarioOf } from './scenario.ts'
import { seededRandom } from './seeded-random.ts'
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
      ...['model', 'partition', 'power', 'reset', 'slow', 'slowDisk', 'slowSink'],
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

test('a datum that fails on the only device with room for its block is given up in half a minute, and its source ends', async () => {
  const { scenario, broken, seconds } = await simulateDevices(292, { faults: [] })
  expect(scenario.devices.every(({ memory }) => Number.isFinite(memory))).toBe(true)
  expect(broken).toEqual([])
  expect(seconds).toBeGreaterThan(30)
  expect(seconds).toBeLessThan(60)
})

test('a sink that was torn within a line keeps all lines before it, and each datum gets its line', async () => {
  const disk = createSinkDisk()
  const open = (clock: ProcessClock) =>
    new MemorySink({
      name: 'sink',
      clock,
      disk,
      delay: () => seconds(1),
      refuses: () => undefined,
      pausesAt: () => 0.5
    })
  const entry = (datum: number) => ({ source: 's', datum, item: '', result: datum, inferenceTime: 1, attempts: 1 })
  const world = new EventClock()
  const first = new ProcessClock(world)
  const killed = open(first)
  for (const datum of [0, 1]) void killed.write(entry(datum))
  world.at(4.5, () => first.kill()) // half of the second line is there
  await world.run(() => false)
  expect(() => entriesOn(disk)).toThrow()
  const again = open(new ProcessClock(world))
  await again.opened
  expect([...again.recorded('s').keys()]).toEqual([0])
  void again.write(entry(1))
  await world.run(() => false)
  expect(entriesOn(disk).map(({ datum }) => datum)).toEqual([0, 1])
})

test('a datum whose device is lost is to go out again at once: that it does later breaks a law', async () => {
  const tokensOf = (life: string): AttemptTokens => new AttemptTokens(seededRandom(createRng(life)), portableHash)
  const after = async (pause: number | undefined, life = 'this'): Promise<string[]> => {
    const world = new EventClock()
    const broken: string[] = []
    const law = new ResendLaw({
      ...{ clock: new ProcessClock(world), self: deviceId('home'), tokens: tokensOf('this'), isExcused: () => false },
      broken: what => broken.push(what)
    })
    law.submitted('s', 7, 1)
    const token = tokensOf(life).of({ source: 's', datum: 7, attempt: 1 })
    law.heard(deviceId('a'), notice('custody', { source: 's', datum: 7n, attempt: 1, done: 0, token }))
    law.peerLost(deviceId('b'))
    law.peerLost(deviceId('a'))
    if (pause !== undefined) world.after(pause, () => law.submitted('s', 7, 2))
    await world.run(() => false)
    return broken
  }
  expect(await after(0.5)).toEqual([])
  expect(await after(1.5)).toHaveLength(1)
  expect((await after(undefined))[0]).toContain('s 7 was on a, which is lost')
  expect(await after(undefined, 'a former')).toEqual([])
})

// Seed 1186: everything was done before the last fault, which struck a device while it stopped.
test('a device that is killed while it stops, and comes back, stops all the same', async () => {
  expect((await simulateDevices(1186)).broken).toEqual([])
})

test('a model whose blocks a loaded one has too comes while data are under way, and none of them fails', async () => {
  const scenarios = range(70).map(i => scenarioOf(100 + i))
  const faultsOf = ({ faults }: SimulatedScenario): readonly Fault[] => faults.filter(({ kind }) => kind === 'model')
  const some = scenarios.filter(scenario => faultsOf(scenario).length > 0)
  const broken: string[] = []
  for (const scenario of some)
    broken.push(...(await simulateDevices(scenario.seed, { faults: faultsOf(scenario) })).broken)
  expect(broken).toEqual([])
  expect(some.length).toBeGreaterThan(10)
})

/** Of policies that choose anew on the way, and of models whose first block is pinned. */
const seedsWithPoison = (): number[] => {
  const scenarios = range(3000).map(scenarioOf)
  const poisoned = scenarios.filter(({ sources }) => sources.some(({ poison }) => poison.length > 0))
  const anew = poisoned.filter(({ policy }) => policy === 'ms-mdi' || policy === 'pa-mdi')
  const pinned = poisoned.filter(({ models }) => models.every(({ isPinned }) => isPinned === true))
  return [...anew.slice(0, 3), ...pinned.slice(0, 3)].map(({ seed }) => seed)
}
