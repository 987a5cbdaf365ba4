import { describe, expect, it } from 'vitest'
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
  /** Nothing runs for so many seconds. */
  const rest = (duration: number): void => {
    for (let i = 0; i < duration; i++) times.rest(seconds(++now))
  }
  return { run, rest, believed: () => [0, 1, 2].map(k => world.blockTime(0, 0, k) / time) }
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

describe('a device that nobody sends anything, since it was slow', () => {
  const slow = () => {
    const device = open()
    for (const block of [0, 1, 2]) device.run(block, 3)
    device.run(0, 3, 8)
    expect(device.believed()).toEqual([8, 8, 8])
    return device
  }

  it('is believed to be as fast as it was, after ten seconds', () => {
    const { rest, believed } = slow()
    rest(9)
    expect(believed()).toEqual([8, 8, 8])
    rest(2)
    expect(believed()).toEqual([1, 1, 1])
  })

  it('is so until it shows otherwise: one run tells of all its blocks', () => {
    const { rest, run, believed } = slow()
    rest(11)
    run(1, 1, 8)
    expect(believed()).toEqual([8, 8, 8])
  })

  it('may be less slow than it was', () => {
    const { rest, run, believed } = slow()
    rest(11)
    run(1, 1, 2)
    expect(believed()).toEqual([2, 2, 2])
  })

  it('is tried less and less often while it stays slow, and as soon as ever when it was not', () => {
    const { rest, run, believed } = slow()
    rest(11)
    run(1, 1, 8)
    rest(19)
    expect(believed()).toEqual([8, 8, 8])
    rest(2)
    expect(believed()).toEqual([1, 1, 1])
    run(1, 4)
    run(0, 3, 8)
    rest(11)
    expect(believed()).toEqual([1, 1, 1])
  })

  it('is not believed to be faster than it ever was, or than its speed says', () => {
    const { rest, believed } = open()
    rest(1000)
    expect(believed()).toEqual([1, 1, 1])
  })

  it('may have been measured while its machine was busy, and never have run a block: its speed says what to hope for', () => {
    const world = smallWorld({ speeds: [0.5], work: [1], activations: [1, 1] })
    world.setBlockTime(0, 0, 0, seconds(30))
    const times = new BlockTimes(world, 0)
    times.rest(seconds(0))
    times.rest(seconds(11))
    expect(world.blockTime(0, 0, 0)).toBe(2)
  })
})
