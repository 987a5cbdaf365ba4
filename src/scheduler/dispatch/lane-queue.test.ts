import { expect, it } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { LaneQueue } from './lane-queue.ts'
import type { LiveTask } from './live-task.ts'

/** A device that carries three blocks of 1 s each, on a manual clock; `slow` times as long is what they take. */
const open = () => {
  const clock = createManualClock()
  const world = smallWorld({ speeds: [1], work: [1, 1, 1], activations: [1, 1, 1, 1] })
  const device = { slow: 1 }
  const lane = new LaneQueue<LiveTask>({
    now: () => clock.now(),
    world,
    self: 0,
    rank: () => 0,
    tie: () => 0,
    contest: undefined,
    run: (_, finished) => {
      void clock.sleep(seconds(device.slow)).then(() => finished({ kind: 'done', took: seconds(device.slow) }))
    },
    finished: () => {},
    failed: () => {}
  })
  const run = async (block: number, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      lane.push({ model: 0, done: block, datum: i, route: [] } as unknown as LiveTask)
      await clock.advance(seconds(device.slow))
    }
  }
  const believed = (): number[] => [0, 1, 2].map(k => world.blockTime(0, 0, k))
  return { clock, device, run, believed }
}

it('learns what a block takes, but not from one slow run', async () => {
  const { device, run, believed } = open()
  await run(0, 3)
  device.slow = 4
  await run(0, 1)
  expect(believed()[0]).toBe(1)
  await run(0, 30)
  expect(believed()[0]).toBeCloseTo(4, 2)
})

it('expects of blocks that do not run what it learns of those that do, however many these are', async () => {
  const one = open()
  one.device.slow = 4
  await one.run(0, 30)
  expect(one.believed()).toEqual([expect.closeTo(4, 2), expect.closeTo(4, 2), expect.closeTo(4, 2)])
  const two = open()
  await two.run(0, 1)
  await two.run(1, 1)
  two.device.slow = 4
  for (let i = 0; i < 30; i++) {
    await two.run(0, 1)
    await two.run(1, 1)
  }
  expect(two.believed()).toEqual([expect.closeTo(4, 2), expect.closeTo(4, 2), expect.closeTo(4, 2)])
})

it('believes the own runs of a block more than those of others', async () => {
  const { clock, device, run, believed } = open()
  await run(1, 3)
  device.slow = 2
  await run(0, 4) // block 1 ran a moment ago
  expect(believed()[1]).toBe(1)
  await clock.advance(seconds(10))
  device.slow = 8
  await run(0, 30)
  expect(believed()[1]).toBeGreaterThan(3)
})
