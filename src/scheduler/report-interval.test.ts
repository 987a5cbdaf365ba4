import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { World } from '../core/world.ts'
import { reportInterval } from './report-interval.ts'

const worldOf = (devices: number): World => {
  const world = new World()
  for (let n = 0; n < devices; n++) world.addDevice(deviceId(`d${n}`))
  return world
}

test.each([
  [1, 0.1],
  [11, 0.1],
  [21, 0.2],
  [1001, 10]
])('of %i devices each reports every %f s: at most a hundred reports a second', (devices, interval) => {
  expect(reportInterval(worldOf(devices))).toBe(interval)
})

test('devices that are away are told nothing', () => {
  const world = worldOf(101)
  for (let n = 0; n < 80; n++) world.setUp(n, false)
  expect(reportInterval(world)).toBe(0.2)
})
