import { expect, test } from 'vitest'
import { createRng } from '../src/core/rng.ts'
import { bytesPerSecond, seconds } from '../src/core/units.ts'
import { EventClock } from '../src/testing/simulated/event-clock.ts'
import { MemoryDevice } from '../src/testing/simulated/memory-device.ts'
import { MemoryHub } from '../src/testing/simulated/memory-hub.ts'
import { toyInput, toyModel } from '../src/testing/simulated/toy-model.ts'
import { deskAt } from './desk-at.ts'

/** The cluster of bench/serving-cluster.ts, where nothing else wants the processors. */
const BLOCKS = 6
/** Seconds of a request at speed 1. */
const WORK = 0.09
const BLOCK_BYTES = 2 ** 20
const CLIENTS = 16
const model = toyModel({
  ...{ name: 'm', salt: 1, length: 512, skips: false },
  work: Array.from({ length: BLOCKS }, () => WORK / BLOCKS),
  weights: Array.from({ length: BLOCKS }, () => BLOCK_BYTES)
})
const tensors = [toyInput(model, 0, 1)]

/** Each client asks for one thing at a time, half of them at the first device, the others at the last. @returns answers a second */
const rateOf = async (speeds: readonly number[], room: readonly number[]): Promise<number> => {
  const clock = new EventClock()
  const wire = { latency: seconds(0.001), rate: bytesPerSecond(1e7) }
  const hub = new MemoryHub({ clock, rng: createRng('crowd'), shape: () => wire })
  const devices = speeds.map((speed, i) => {
    const own = { memory: (room[i]! + 0.5) * BLOCK_BYTES, models: i === 0 ? [model] : [] }
    return new MemoryDevice({ hub, name: `device${i}`, speed, ...own })
  })
  for (const { device } of devices) void device.start()
  const desks = [deskAt(devices[0]!), deskAt(devices.at(-1)!)]
  await clock.run(() => clock.now() > 5)
  const [from, to] = [8, 20]
  let answers = 0
  const client = async (i: number): Promise<void> => {
    const asker = { connection: {} }
    while (clock.now() < to) {
      await desks[i % desks.length]!.compute({ model: 'm', tensors, asker })
      if (clock.now() >= from && clock.now() < to) answers++
    }
  }
  for (let i = 0; i < CLIENTS; i++) void client(i)
  await clock.run(() => clock.now() > to)
  return answers / (to - from)
}

test.each([
  ['equal devices', [0.375, 0.375, 0.375, 0.375], [6, 6, 6, 6]],
  ['unequal devices', [0.8, 0.4, 0.2, 0.1], [6, 6, 6, 6]],
  ['unequal devices, the weak ones with room for half', [0.8, 0.4, 0.2, 0.1], [6, 6, 3, 3]],
  ['devices with room for four blocks of six', [0.375, 0.375, 0.375, 0.375], [4, 4, 4, 4]]
])('a crowd that asks at two nodes for one thing at a time each gets all that %s can do', async (_, speeds, room) => {
  const capacity = speeds.reduce((a, b) => a + b) / WORK
  expect(await rateOf(speeds, room)).toBeGreaterThan(0.96 * capacity)
})
