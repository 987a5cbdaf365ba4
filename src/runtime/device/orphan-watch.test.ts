import { expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { World } from '../../core/world.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { OrphanWatch } from './orphan-watch.ts'

it('drops the data of a device that has been gone for a minute on end, and again each minute', async () => {
  const clock = createManualClock()
  const world = new World()
  for (const name of ['a', 'b']) world.addDevice(deviceId(name))
  const dropped: number[] = []
  const watch = new OrphanWatch({ clock, world, drop: home => dropped.push(home) })
  const pass = async (time: number): Promise<void> => {
    for (let t = 0; t < time; t++) {
      watch.tick()
      await clock.advance(seconds(1))
    }
  }
  world.setUp(1, false)
  await pass(50)
  world.setUp(1, true)
  await pass(1)
  world.setUp(1, false)
  await pass(60)
  expect(dropped).toEqual([])
  await pass(1)
  expect(dropped).toEqual([1])
  await pass(60)
  expect(dropped).toEqual([1, 1])
})
