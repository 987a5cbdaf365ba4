import { describe, expect, it } from 'vitest'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { smallWorld } from '../../testing/small-world.ts'
import { DriftWatch } from './drift-watch.ts'

const open = () => {
  const world = smallWorld({
    speeds: [1, 1],
    work: [1, 1],
    activations: [1000, 1000, 1000],
    link: { rate: 1000, latency: 0 },
    carried: [[0, 1], [0]]
  })
  const watch = new DriftWatch(world, 0)
  watch.isDue(seconds(0))
  return { world, watch }
}

describe('drift', () => {
  it('is none while nothing changes, or little', () => {
    const { world, watch } = open()
    expect(watch.isDue(seconds(5))).toBe(false)
    world.setBlockTime(0, 0, 0, seconds(1.4))
    world.setBlockTime(1, 0, 0, seconds(5)) // slower elsewhere: no reason to leave
    expect(watch.isDue(seconds(6))).toBe(false)
  })

  it('is a slower block of its own, said once for each such step, and not twice within a second', () => {
    const { world, watch } = open()
    world.setBlockTime(0, 0, 1, seconds(1.6))
    expect(watch.isDue(seconds(5))).toBe(true)
    world.setBlockTime(0, 0, 1, seconds(2.2))
    expect(watch.isDue(seconds(7))).toBe(false)
    world.setBlockTime(0, 0, 1, seconds(2.5))
    expect(watch.isDue(seconds(8))).toBe(true)
    world.setBlockTime(0, 0, 1, seconds(9))
    expect(watch.isDue(seconds(8.5))).toBe(false)
    expect(watch.isDue(seconds(9))).toBe(true)
  })

  it('is a slower link of its own', () => {
    const { world, watch } = open()
    world.setLink(0, 1, bytesPerSecond(500), seconds(0))
    expect(watch.isDue(seconds(5))).toBe(true)
  })

  it('is a block that another device did not carry, a faster device, and one that was gone', () => {
    const { world, watch } = open()
    world.setCarried(1, 0, 1, true)
    expect(watch.isDue(seconds(5))).toBe(true)
    world.setBlockTime(1, 0, 1, seconds(0.5))
    expect(watch.isDue(seconds(7))).toBe(true)
    world.setUp(1, false)
    expect(watch.isDue(seconds(9))).toBe(false)
    world.setUp(1, true)
    expect(watch.isDue(seconds(10))).toBe(true)
  })

  it('is measured from the best of its own and the worst of others since', () => {
    const { world, watch } = open()
    world.setBlockTime(0, 0, 0, seconds(0.5))
    world.setBlockTime(1, 0, 0, seconds(4))
    expect(watch.isDue(seconds(5))).toBe(false)
    world.setBlockTime(0, 0, 0, seconds(1))
    expect(watch.isDue(seconds(6))).toBe(true)
    world.setBlockTime(1, 0, 0, seconds(4))
    world.setBlockTime(1, 0, 0, seconds(2))
    expect(watch.isDue(seconds(8))).toBe(true)
  })
})
