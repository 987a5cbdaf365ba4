import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { SharedAir } from './shared-air.ts'

const FRAME = seconds(0.24)
const RESULT = seconds(0.001)

/**
 * Twenty long frames wait for the air; then twenty short ones are asked for, each `pause` after it is known that the last had gone.
 * @param lateness of timers
 * @returns seconds until the last short one had gone
 */
const sendShortAmongLong = async ({ pause, lateness }: { pause: number; lateness: number }): Promise<number> => {
  const clock = createManualClock(() => seconds(lateness))
  const air = new SharedAir(clock)
  for (let i = 0; i < 21; i++) air.ask('camera', FRAME, () => {})
  let gone = 0
  let left = 20
  const send = (): void =>
    air.ask('results', RESULT, wait => {
      gone = clock.now() + wait + RESULT
      if (--left > 0) clock.sleep(seconds(Math.max(0, wait + RESULT) + pause)).then(send)
    })
  send()
  await clock.advance(seconds(30))
  air.close()
  expect(left).toBe(0)
  return gone
}

test.for([
  ['at once', 0, 0],
  ['a millisecond later', 0.0009, 0],
  ['and told late, as by real timers', 0, 0.0008]
] as const)(
  'short frames wait for one long frame where each is asked for when the last has gone, %s',
  async ([, pause, lateness]) => {
    expect(await sendShortAmongLong({ pause, lateness })).toBeLessThan(2 * FRAME)
  }
)

test('who asks too late for the next waits for one long frame each', async () => {
  expect(await sendShortAmongLong({ pause: 0.01, lateness: 0 })).toBeGreaterThan(20 * FRAME)
})
