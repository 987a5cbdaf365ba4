import { expect, it } from 'vitest'
import { seconds } from '../../core/units.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { BlockTimes } from './block-times.ts'

/** A device that carries three blocks, believed to take `time` each; they take `slow` times as long. */
const open = (time = 1) => {
  const world = smallWorld({ speeds: [1], work: [time, time, time], activations: [1, 1, 1, 1] })
  const times = new BlockTimes(world, 0)
  let now = 0
  const run = (block: number, count: number, slow = 1): void => {
    for (let i = 0; i < count; i++) {
      now += slow * time
      times.ran(0, block, seconds(slow * time), seconds(now))
    }
  }
  return { run, believed: () => [0, 1, 2].map(k => world.blockTime(0, 0, k) / time) }
}

it('does not believe one slow run', () => {
  const { run, believed } = open()
  for (const block of [0, 1, 2]) run(block, 3)
  run(0, 1, 4)
  run(1, 1)
  run(0, 1)
  expect(believed()).toEqual([1, 1, 1])
})

it('takes three slow runs on end, of whatever blocks, for a slower device: all its blocks take longer at once', () => {
  const { run, believed } = open()
  for (const block of [0, 1, 2]) run(block, 3)
  run(0, 1, 4)
  run(1, 1, 4)
  expect(believed()).toEqual([1, 1, 1])
  run(1, 1, 4)
  expect(believed()).toEqual([4, 4, 4])
  run(0, 3)
  expect(believed()).toEqual([1, 1, 1])
})

it('takes short blocks for a sign only when they were slow for half a second', () => {
  const { run, believed } = open(0.01)
  run(0, 60)
  run(0, 5, 4)
  expect(believed()[1]).toBe(1)
  run(0, 10, 4)
  expect(believed()).toEqual([expect.closeTo(4, 6), expect.closeTo(4, 6), expect.closeTo(4, 6)])
})

it('learns a small change block by block', () => {
  const { run, believed } = open()
  run(0, 40, 1.1)
  expect(believed()).toEqual([expect.closeTo(1.1, 3), 1, 1])
})

it('learns that a block was measured wrongly without a thought for the others', () => {
  const { run, believed } = open()
  run(0, 40, 3)
  expect(believed()).toEqual([expect.closeTo(3, 3), 1, 1])
})

it('sees no change of speed in one block alone that has become slower among others that have not', () => {
  const { run, believed } = open()
  for (const block of [0, 1]) run(block, 3)
  for (let i = 0; i < 20; i++) {
    run(0, 1, 2)
    run(1, 1)
  }
  expect(believed()).toEqual([expect.closeTo(2, 1), 1, 1])
})

it('keeps what a block really takes when another one shows that the device has another speed', () => {
  const { run, believed } = open()
  run(0, 40, 1.1)
  run(1, 3)
  run(1, 3, 2)
  expect(believed()).toEqual([expect.closeTo(2.2, 2), 2, 2])
  run(0, 3, 2.2)
  expect(believed()).toEqual([expect.closeTo(2.2, 2), 2, 2])
})
