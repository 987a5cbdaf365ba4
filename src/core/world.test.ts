import { describe, expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { bytesPerSecond, seconds } from './units.ts'

describe('dearness', () => {
  const open = () => smallWorld({ speeds: [1, 1], work: [1, 3, 5], activations: [1, 1, 1, 1], carried: [[0, 1], [0]] })

  test('of a worker grows with the blocks that it carries, measured before or not', () => {
    const world = open()
    const { resource } = world.devices[0]!
    world.setBlockTime(0, 0, 1, seconds(3)) // as was believed
    expect(world.dearness(resource)).toBe(1)
    world.setBlockTime(0, 0, 0, seconds(5))
    expect(world.dearness(resource)).toBe(2)
    world.setBlockTime(0, 0, 1, seconds(7))
    expect(world.dearness(resource)).toBe(3)
    world.setBlockTime(0, 0, 2, seconds(70)) // is not carried
    expect(world.dearness(resource)).toBe(3)
    expect(world.dearness(world.devices[1]!.resource)).toBe(1)
    world.setSpeed(1, 0.5)
    expect(world.dearness(world.devices[1]!.resource)).toBe(2)
  })

  test('of a link grows as its rate falls, of a medium as all its links together', () => {
    const world = open()
    const { resource } = world.link(0, 1)!
    world.setLink(0, 1, bytesPerSecond(250_000), seconds(0))
    expect(world.dearness(resource)).toBe(4)
    const medium = world.addMedium()
    for (const to of [2, 3]) world.setLink(0, to, bytesPerSecond(1000), seconds(0), medium)
    world.setLink(0, 2, bytesPerSecond(250), seconds(0))
    expect(world.dearness(medium)).toBeCloseTo(2, 9)
    world.setLink(0, 3, bytesPerSecond(250), seconds(0))
    expect(world.dearness(medium)).toBeCloseTo(4, 9)
  })

  test('stays within what is to be believed, whatever rates are told', () => {
    const world = open()
    const { resource } = world.link(0, 1)!
    for (const rate of [1e6, 1e-300, 5e-324, 1e6, 1e-300]) world.setLink(0, 1, bytesPerSecond(rate), seconds(0))
    expect(world.dearness(resource)).toBeLessThanOrEqual(1e6)
    for (const rate of [1e300, 1e308]) world.setLink(0, 1, bytesPerSecond(rate), seconds(0))
    expect(world.dearness(resource)).toBeGreaterThanOrEqual(1e-6)
  })
})
