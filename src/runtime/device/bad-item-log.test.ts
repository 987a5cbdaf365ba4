import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { BadItemLog } from './bad-item-log.ts'

test('the first few items that are none are named; a thousand more are a line in ten seconds, and one at the end', async () => {
  const clock = createManualClock()
  const said: string[] = []
  const log = new BadItemLog(clock, text => said.push(text))
  for (let i = 0; i < 1000; i++) {
    log.add(`${i}.txt`, 'is no image')
    log.tick()
  }
  expect(said).toEqual([0, 1, 2, 3, 4].map(i => `${i}.txt has failed: is no image`))
  await clock.advance(seconds(11))
  log.tick()
  log.tick()
  expect(said.slice(5)).toEqual(['995 more have failed, the last 999.txt: is no image; the sink has them all'])
  log.add('z.txt', 'is empty')
  log.tick()
  expect(said).toHaveLength(6)
  log.tick(true)
  log.tick(true)
  expect(said.slice(6)).toEqual(['1 more have failed, the last z.txt: is empty; the sink has them all'])
})
