import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { bytes, bytesPerSecond, megabitsPerSecond, milliseconds, seconds } from '../core/units.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { Pacer } from './pacer.ts'

const never = new AbortController().signal
const wifi = { rate: megabitsPerSecond(20), latency: milliseconds(3) }

describe('a paced link', () => {
  it('passes 600 KB at 20 Mbit/s in 240 ms and delivers it 3 ms later', () => {
    const pacer = new Pacer(createManualClock())
    const { starts, departs, arrives } = pacer.book(bytes(600_000), wifi)
    expect([starts, departs, arrives]).toEqual([0, 0.24, 0.243])
  })

  it('is busy at most all of the time, and serves in the order of booking', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ size: fc.nat(1e6), gap: fc.double({ min: 0, max: 0.1, noNaN: true }) })),
        fc.integer({ min: 1e5, max: 1e8 }),
        (frames, rate) => {
          let now = 0
          const pacer = new Pacer({ now: () => seconds(now), sleep: () => Promise.resolve() })
          const link = { rate: bytesPerSecond(rate), latency: milliseconds(2) }
          const passages = frames.map(({ size, gap }) => {
            now += gap
            return pacer.book(size, link)
          })
          return passages.every(
            ({ starts, departs, arrives }, i) =>
              starts >= (passages[i - 1]?.departs ?? 0) &&
              Math.abs(departs - starts - frames[i]!.size / rate) < 1e-9 &&
              arrives > departs
          )
        }
      )
    )
  })

  it('shares its rate between two senders: together they take the sum of their times', () => {
    const pacer = new Pacer(createManualClock())
    const first = pacer.book(bytes(250_000), wifi)
    const second = pacer.book(bytes(250_000), wifi)
    expect(first.departs).toBeCloseTo(0.1, 9)
    expect(second.departs).toBeCloseTo(0.2, 9)
  })

  it('carries its whole rate though every timer fires late', async () => {
    const clock = createManualClock(() => milliseconds(0.9))
    const pacer = new Pacer(clock)
    const sender = (async () => {
      for (let frame = 0; frame < 100; frame++) {
        await pacer.until(pacer.book(bytes(25_000), wifi).departs, never) // 10 ms each
      }
      return clock.now()
    })()
    await clock.advance(seconds(2))
    expect(await sender).toBeGreaterThan(0.999)
    expect(await sender).toBeLessThan(1.002)
  })

  it('does not give back time in which nobody wanted to send', async () => {
    const clock = createManualClock()
    const pacer = new Pacer(clock)
    const first = pacer.until(pacer.book(bytes(25_000), wifi).departs, never)
    await clock.advance(milliseconds(500))
    await first
    expect(pacer.book(bytes(25_000), wifi).starts).toBeCloseTo(0.5, 9)
  })

  it('stops waiting when told to', async () => {
    const clock = createManualClock()
    const stop = new AbortController()
    const waiting = new Pacer(clock).until(seconds(10), stop.signal)
    stop.abort(new Error('lost'))
    await expect(waiting).rejects.toThrow('lost')
  })

  it('never asks for a longer sleep than timers can do', async () => {
    const clock = createManualClock()
    const asked: number[] = []
    const watched: Clock = {
      now: clock.now,
      sleep: (duration, options) => {
        asked.push(duration)
        return clock.sleep(duration, options)
      }
    }
    const waiting = new Pacer(watched).until(seconds(5e6), never)
    await clock.advance(seconds(5e6))
    await waiting
    expect(Math.max(...asked) * 1000).toBeLessThan(2 ** 31)
  })
})
