import { describe, expect, test } from 'vitest'
import { smallWorld } from '../testing/small-world.ts'
import { deviceId, modelId } from './ids.ts'
import { bytes, bytesPerSecond, seconds } from './units.ts'
import { World } from './world.ts'

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

describe('a device that is gone for good', () => {
  const rate = bytesPerSecond(1e6)
  const ids = ['a', 'b', 'c'].map(deviceId)

  test('leaves its number, and that of its links, to the next, of whom nothing is known', () => {
    const world = new World()
    const [a, b, c] = ids.map(id => world.addDevice(id)) as [number, number, number]
    const m = world.addModel({ id: modelId('m'), work: [seconds(1)], activations: [bytes(1), bytes(1)] })
    for (const [from, to] of [
      [a, b],
      [b, a],
      [b, c],
      [a, c]
    ] as const)
      world.setLink(from, to, rate, seconds(0))
    world.setCarried(b, m, 0, true)
    world.setBlockTime(b, m, 0, seconds(9))
    const [{ resources }, reach] = [world, world.reach]
    expect(world.retire(ids[1]!)).toBe(b)
    expect(world.retire(ids[1]!)).toBe(undefined)
    expect(world.reach).toBeGreaterThan(reach)
    expect(world.deviceIndex(ids[1]!)).toBe(undefined)
    expect(world.known().map(({ id }) => id)).toEqual(['a', 'c'])
    expect(world.links.flat().map(({ from, to }) => [from, to])).toEqual([[a, c]])
    expect(world.addDevice(deviceId('d'), 4)).toBe(b)
    expect([world.devices[b]!.id, world.deviceIndex(deviceId('d'))]).toEqual(['d', b])
    expect([world.carries(b, m, 0), world.blockTime(b, m, 0), world.link(a, b)]).toEqual([false, 0.25, undefined])
    for (const [from, to] of [
      [a, b],
      [b, a],
      [b, c]
    ] as const)
      world.setLink(from, to, rate, seconds(0))
    expect(world.resources).toBe(resources)
    expect(new Set(world.links.flat().map(({ resource }) => resource)).size).toBe(4)
    expect(world.addDevice(deviceId('e'))).toBe(3)
  })

  test('leaves a medium that it shared to those that still do', () => {
    const world = new World()
    const [a, b] = ids.map(id => world.addDevice(id)) as [number, number, number]
    const air = world.addMedium()
    world.setLink(a, b, rate, seconds(0), air)
    world.retire(ids[1]!)
    const next = world.addDevice(deviceId('d'))
    expect(world.setLink(a, next, rate, seconds(0)).resource).not.toBe(air)
    expect(world.setLink(next, a, rate, seconds(0), air).resource).toBe(air)
  })
})

test('a model that is gone for good takes no room, and its number is not that of another', () => {
  const world = new World()
  const costs = (name: string) => ({ id: modelId(name), work: [seconds(1)], activations: [bytes(1), bytes(1)] })
  const [a, m] = [world.addDevice(deviceId('a')), world.addModel(costs('m'))]
  const other = world.addModel(costs('other'))
  world.setCarried(a, m, 0, true)
  world.setCarried(a, other, 0, true)
  world.retireModel(modelId('m'))
  world.retireModel(modelId('m'))
  expect([world.modelIndex(modelId('m')), world.models[m]!.work]).toEqual([undefined, []])
  const b = world.addDevice(deviceId('b'), 2)
  world.setSpeed(b, 4)
  world.forget(b)
  expect([world.carries(a, other, 0), world.blockTime(b, other, 0)]).toEqual([true, 0.25])
  expect(world.addModel(costs('m'))).toBe(2)
})
