import { expect, it } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { OrphanWatch } from './orphan-watch.ts'

it('drops the data of a device that has been gone for a minute on end, and again each minute', () => {
  let now = 0
  const world = new World()
  for (const name of ['a', 'b']) world.addDevice(deviceId(name))
  const dropped: number[] = []
  const watch = new OrphanWatch({ now: () => seconds(now), world, drop: home => dropped.push(home) })
  const pass = (time: number): void => {
    for (let t = 0; t < time; t++) {
      watch.tick()
      now++
    }
  }
  world.setUp(1, false)
  pass(50)
  world.setUp(1, true)
  pass(1)
  world.setUp(1, false)
  pass(60)
  expect(dropped).toEqual([])
  pass(1)
  expect(dropped).toEqual([1])
  pass(60)
  expect(dropped).toEqual([1, 1])
})
