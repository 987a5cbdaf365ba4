import { expect, test } from 'vitest'
import { type AgreementScenario, agreementScenario } from './agreement-scenario.ts'
import { disagreements } from './disagreements.ts'
import { impatientScenario } from './impatient-scenario.ts'
import { measureCluster } from './measure-cluster.ts'
import { measureSimulator } from './measure-simulator.ts'
import { range } from './scenario.ts'

test('clusters of real devices and the simulator agree on throughput and mean time', async () => {
  expect(await disagreements(range(5).map(i => i + 1))).toEqual([])
})

test('also where devices begin anew while a source fills its window', async () => {
  expect(await disagreements([83, 156])).toEqual([])
})

const withLanes = (seed: number): AgreementScenario => {
  const scenario = agreementScenario(seed)
  const devices = scenario.devices.map((device, n) => {
    const lanes = 1 + ((seed + n) % 3)
    return { ...device, lanes, speed: device.speed / lanes, memory: lanes * device.memory }
  })
  return { ...scenario, devices }
}

test('also where devices run two or three blocks at once', async () => {
  expect(
    await disagreements(
      range(6).map(i => i + 1),
      withLanes
    )
  ).toEqual([])
})

// Seed 184: data that were available at one instant became younger on their way, each by its own, and queues served others first.
test('also where data of one age meet in a queue', async () => {
  expect(await disagreements([184])).toEqual([])
})

// Seed 216, and 6 where data wait long: what a frame tells of its sender is of when it begins, not of when it has been sent.
test('also where what is believed of others decides', async () => {
  expect(await disagreements([216])).toEqual([])
  expect(await disagreements([6], seed => impatientScenario(seed, 2))).toEqual([])
})

// Seed 174: sixty admissions are alike to the microsecond, then one path is chosen otherwise; the mean time differs by 4.05 %. In the
// simulator it differs by 5.6 % with the instant between two reports at which the sources begin.
test('the one that differs by more does so by less than the simulator from itself', async () => {
  expect(await disagreements([174], agreementScenario, () => true)).toEqual([])
})

test('also where data come faster than they are computed, and sources drop what their terms say', async () => {
  const { sources, ...scenario } = impatientScenario(1)
  const { dropped } = await measureCluster({ ...scenario, sources })
  expect(dropped).toBeGreaterThan(0.1 * sources.reduce((sum, { count }) => sum + count, 0))
  expect(await disagreements([1, 2, 4, 5, 7], impatientScenario)).toEqual([])
})

test('what differs is seen: blocks that are elsewhere than where the devices have them', async () => {
  const scenario = agreementScenario(83)
  const { throughput } = await measureCluster(scenario)
  const alone = measureSimulator(scenario, device => device === scenario.sources[0]!.device)
  expect(alone.throughput / throughput).toBeLessThan(0.5)
})
