import { describe, expect, test } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { createManualClock } from './manual-clock.ts'
import { EventClock } from './simulated/event-clock.ts'
import { ProcessClock } from './simulated/process-clock.ts'

interface Timed {
  readonly clock: Clock
  /** That much time goes by. */
  readonly pass: (duration: Seconds) => Promise<void>
}

const system = (): Timed => ({ clock: systemClock, pass: duration => systemClock.sleep(duration) })

const manual = (): Timed => {
  const clock = createManualClock()
  return { clock, pass: duration => clock.advance(duration) }
}

const simulated = (): Timed => {
  const world = new EventClock()
  return {
    clock: new ProcessClock(world),
    pass: duration => {
      let isOver = false
      world.after(duration, () => {
        isOver = true
      })
      return world.run(() => isOver)
    }
  }
}

/** Timers of the system tick in milliseconds, and round down. */
const EARLY = 0.0011
const SOON = seconds(0.04)

describe.each([
  ['the system has', system],
  ['a test moves', manual],
  ['simulated devices have', simulated]
])('a clock that %s', (_, open) => {
  test('never goes back, and goes on', async () => {
    const { clock, pass } = open()
    const instants = [clock.now()]
    for (let i = 0; i < 5; i++) {
      await pass(seconds(0.002))
      instants.push(clock.now())
    }
    expect([...instants].sort((a, b) => a - b)).toEqual(instants)
    expect(instants.at(-1)! - instants[0]!).toBeGreaterThan(0.004)
  })

  test('wakes nobody before the time, and each in its turn', async () => {
    const { clock, pass } = open()
    const woken: number[] = []
    const began = clock.now()
    const sleeps = [0.02, 0.005, 0, -1, 0.012].map(async duration => {
      await clock.sleep(seconds(duration))
      expect(clock.now() - began).toBeGreaterThanOrEqual(Math.max(0, duration) - EARLY)
      woken.push(duration)
    })
    await pass(SOON)
    await Promise.all(sleeps)
    expect(woken.slice(2)).toEqual([0.005, 0.012, 0.02])
    expect(woken.slice(0, 2).sort()).toEqual([-1, 0])
  })

  test('ends a sleep with the reason of whoever ends it, at once', async () => {
    const { clock, pass } = open()
    const [stop, reason] = [new AbortController(), new Error('the device stops')]
    const [before, kept] = [clock.now(), clock.sleep(seconds(0.01))]
    const ended = clock.sleep(seconds(3600), { signal: stop.signal })
    stop.abort(reason)
    await expect(ended).rejects.toBe(reason)
    await expect(clock.sleep(seconds(0), { signal: stop.signal })).rejects.toBe(reason)
    expect(clock.now() - before).toBeLessThan(1)
    await pass(SOON)
    await kept // others sleep on
  })

  test('has nothing to do with a signal whose sleep is over', async () => {
    const { clock, pass } = open()
    const stop = new AbortController()
    const slept = clock.sleep(seconds(0.001), { signal: stop.signal })
    await pass(SOON)
    await slept
    stop.abort(new Error('too late'))
  })

  test('sleeps for as long as it is told to, for ever too', async () => {
    const { clock, pass } = open()
    const stop = new AbortController()
    const woken: string[] = []
    const long = [30 * 86_400, 1e12, Number.POSITIVE_INFINITY].map(duration =>
      clock.sleep(seconds(duration), { signal: stop.signal }).then(
        () => woken.push(`woken after ${duration} s`),
        () => {}
      )
    )
    await pass(SOON)
    expect(woken).toEqual([])
    stop.abort()
    await Promise.all(long)
    expect(woken).toEqual([])
  })
})
