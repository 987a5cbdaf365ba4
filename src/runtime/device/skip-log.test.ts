import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { SkipLog } from './skip-log.ts'

test('the first few that are skipped are named; a thousand more are a line in ten seconds, and one at the end', async () => {
  const clock = createManualClock()
  const said: string[] = []
  const log = new SkipLog(clock, text => said.push(text))
  for (let i = 0; i < 1000; i++) {
    log.skipped(`${i}.txt`, 'is no image')
    log.tick()
  }
  expect(said).toEqual([0, 1, 2, 3, 4].map(i => `skipped ${i}.txt: is no image`))
  await clock.advance(seconds(11))
  log.tick()
  log.tick()
  expect(said.slice(5)).toEqual(['skipped 995 more, the last 999.txt: is no image; the sink has them all'])
  log.skipped('z.txt', 'is empty')
  log.tick()
  expect(said).toHaveLength(6)
  log.tick(true)
  log.tick(true)
  expect(said.slice(6)).toEqual(['skipped 1 more, the last z.txt: is empty; the sink has them all'])
})
