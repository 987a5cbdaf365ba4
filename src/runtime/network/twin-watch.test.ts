import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { TwinWatch } from './twin-watch.ts'

test('twins are a trouble for as long as they are seen, each once, and five minutes more', () => {
  const watch = new TwinWatch()
  const [porch, shed] = ['porch', 'shed'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]
  expect(watch.troubles(seconds(0))).toEqual([])
  for (let t = 0; t <= 600; t += 60) watch.seen(porch, 'two are porch', seconds(t))
  watch.seen(shed, 'two are shed', seconds(700))
  expect(watch.troubles(seconds(900))).toEqual(['two are porch', 'two are shed'])
  expect(watch.troubles(seconds(901))).toEqual(['two are shed'])
  expect(watch.troubles(seconds(1001))).toEqual([])
})
