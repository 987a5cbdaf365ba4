import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import { linksLike, type Medium } from '../emulation/pacer.ts'
import type { LinkShaper, Passage } from '../runtime/ports/link-shaper.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'

const RATE = 1000
const LATENCY = seconds(0.5)
/** Timers tick in milliseconds: nobody is told apart who comes so much before. */
const EARLY = 0.001

interface Shaped {
  readonly clock: ManualClock
  readonly shaper: LinkShaper
  /** Another link of the same kind, on the same air where there is any. */
  readonly other: LinkShaper
}

const shapersOf = (clock: ManualClock, medium?: Medium): Shaped => {
  const links = linksLike(clock, {
    rate: bytesPerSecond(RATE),
    latency: LATENCY,
    ...(medium === undefined ? {} : { medium })
  })
  return { clock, shaper: links(deviceId('a'))!, other: links(deviceId('b'))! }
}

const own = (): Shaped => shapersOf(createManualClock())

const air = (): Shaped => {
  const clock = createManualClock()
  let free = 0
  const reserve = async (takes: Seconds): Promise<Seconds> => {
    const starts = Math.max(free, clock.now())
    free = starts + takes
    return seconds(starts)
  }
  return shapersOf(clock, { name: 'air', reserve })
}

const sizes = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 20 })

describe.each([
  ['of its own', own],
  ['on a medium', air]
])('a link %s', (name, open) => {
  test('is passed in the order in which it was asked for, by one at a time, at its rate', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async all => {
        const { shaper } = open()
        const passages = await Promise.all(all.map(size => shaper.pass(size)))
        let free = 0
        for (const [i, { starts, departs, arrives }] of passages.entries()) {
          expect(starts).toBeCloseTo(free, 6)
          expect(departs - starts).toBeCloseTo(all[i]! / RATE, 6)
          expect(arrives - departs).toBeCloseTo(shaper.latency, 6)
          free = departs
        }
      })
    )
  })

  test('is not passed before it was asked for, however long it was free', async () => {
    const { clock, shaper } = open()
    await shaper.pass(1000)
    await clock.advance(seconds(60))
    expect((await shaper.pass(500)).starts).toBe(60)
  })

  test('wakes whoever waits for an instant then and not before, and at once for one that is past', async () => {
    const { clock, shaper } = open()
    const { signal } = new AbortController()
    const { departs, arrives } = (await shaper.pass(2000)) as Passage
    const woken: number[] = []
    const all = [departs, arrives, seconds(-1)].map(async at => {
      await shaper.until(at, signal)
      woken.push(clock.now())
    })
    await clock.advance(seconds(10))
    await Promise.all(all)
    expect(woken).toHaveLength(3)
    for (const [i, instant] of [0, 2, 2.5].entries()) {
      expect(woken[i]).toBeGreaterThanOrEqual(instant - EARLY)
      expect(woken[i]).toBeLessThan(instant + 0.01)
    }
  })

  test('lets go whoever gives up, with the reason', async () => {
    const { clock, shaper } = open()
    const over = new AbortController()
    const waiting = shaper.until(seconds(5), over.signal)
    const reason = new Error('the peer is gone')
    over.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(shaper.until(seconds(5), over.signal)).rejects.toBe(reason)
    await clock.advance(seconds(10))
  })

  test('is shared with other links where it says so, and with none otherwise', async () => {
    const { shaper, other } = open()
    await shaper.pass(3000)
    const { starts } = await other.pass(1000)
    expect([starts, shaper.medium, other.medium]).toEqual(
      name === 'of its own' ? [0, undefined, undefined] : [3, 'air', 'air']
    )
  })
})
