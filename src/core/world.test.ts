import { describe, expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { bytesPerSecond, seconds } from './units.ts'

describe('dearness', () => {
  const open = () => smallWorld({ speeds: [1, 1], work: [1, 3, 5], activations: [1, 1, 1, 1], carried: [[0, 1], [0]] })

  test('of a worker grows with the blocks that it carries and that were measured', () => {
    const world = open()
    const { resource } = world.devices[0]!
    for (const k of [0, 1, 2]) world.setBlockTime(0, 0, k, world.blockTime(0, 0, k)) // a first measure changes nothing
    expect(world.dearness(resource)).toBe(1)
    world.setBlockTime(0, 0, 0, seconds(5))
    expect(world.dearness(resource)).toBe(2)
    world.setBlockTime(0, 0, 1, seconds(7))
    expect(world.dearness(resource)).toBe(3)
    world.setBlockTime(0, 0, 2, seconds(70)) // is not carried
    expect(world.dearness(resource)).toBe(3)
    expect(world.dearness(world.devices[1]!.resource)).toBe(1)
  })

  test('of a link grows as its rate falls, of a medium with all its links', () => {
    const world = open()
    const { resource } = world.link(0, 1)!
    world.setLink(0, 1, bytesPerSecond(250_000), seconds(0))
    expect(world.dearness(resource)).toBe(4)
    const medium = world.addMedium()
    for (const to of [2, 3]) world.setLink(0, to, bytesPerSecond(1000), seconds(0), medium)
    world.setLink(0, 2, bytesPerSecond(500), seconds(0))
    expect(world.dearness(medium)).toBe(1.5)
    world.setLink(0, 3, bytesPerSecond(500), seconds(0))
    expect(world.dearness(medium)).toBe(2)
  })
})
