import { expect, test } from 'vitest'
import { type Seconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { RestingClock } from './resting-clock.ts'

const restingClock = () => {
  const clock = createManualClock()
  const state = { rests: false }
  const resting = new RestingClock({ clock, rests: () => state.rests, every: seconds(0.5) })
  const log: string[] = []
  const sleep = async (name: string, duration: number, signal?: AbortSignal): Promise<void> => {
    await resting.sleep(seconds(duration), signal === undefined ? {} : { signal }).catch(error => log.push(`${error}`))
    log.push(`${name} ${clock.now().toFixed(2)}`)
  }
  const at = (instant: number): Promise<void> => clock.advance(seconds(instant - clock.now()) as Seconds)
  return { resting, state, log, sleep, at }
}

test('who does not rest sleeps as long as asked', async () => {
  const { log, sleep, at } = restingClock()
  void sleep('a', 0.1)
  await at(1)
  expect(log).toEqual(['a 0.10'])
})

test('all who rest wake at one instant, never before the time they asked for', async () => {
  const { state, log, sleep, at } = restingClock()
  state.rests = true
  await at(0.25)
  void sleep('a', 0.1)
  await at(0.375)
  void sleep('b', 0.1)
  void sleep('c', 0.25)
  await at(3)
  expect(log).toEqual(['a 0.50', 'b 0.50', 'c 1.00'])
})

test('news wakes them: at once where they have slept as long as asked, else then', async () => {
  const { resting, state, log, sleep, at } = restingClock()
  state.rests = true
  void sleep('long', 0.125)
  await at(0.25)
  void sleep('short', 0.125)
  await at(0.3125)
  resting.wake()
  await at(0.375)
  expect(log).toEqual(['long 0.31', 'short 0.38'])
  resting.wake()
  await at(2)
  expect(log).toHaveLength(2)
})

test('a signal ends a rest with its reason', async () => {
  const { state, log, sleep, at } = restingClock()
  state.rests = true
  const over = new AbortController()
  void sleep('a', 0.125, over.signal)
  await at(0.25)
  over.abort(new Error('stopped'))
  await at(0.25)
  expect(log).toEqual(['Error: stopped', 'a 0.25'])
})
