import { describe, expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { ResendTimer } from './resend-timer.ts'

const NOTHING_KNOWN = seconds(0)
const s = seconds

describe('ResendTimer', () => {
  test('before anything was measured a datum may take what is expected, and ten seconds at least; one is tried again sooner', () => {
    const timer = new ResendTimer()
    for (const datum of [0, 1]) timer.sent(datum, 1, s(0))
    expect(timer.overdue(s(29), s(30))).toEqual([])
    expect(timer.overdue(s(2), NOTHING_KNOWN)).toEqual([])
    expect(timer.overdue(s(2.1), NOTHING_KNOWN)).toEqual([0])
    timer.sent(0, 2, s(2.1))
    expect(timer.overdue(s(10), NOTHING_KNOWN)).toEqual([])
    expect(timer.overdue(s(10.1), NOTHING_KNOWN)).toEqual([1])
  })

  test('what is not heard of is sent again with doubled patience each time', () => {
    const timer = new ResendTimer()
    const sentAt: number[] = []
    timer.sent(0, 1, s(0))
    for (let t = 0; t <= 200; t++) {
      if (timer.overdue(s(t), NOTHING_KNOWN).length === 0) continue
      sentAt.push(t)
      timer.sent(0, sentAt.length + 1, s(t))
    }
    expect(sentAt).toEqual([3, 24, 65, 146])
  })

  test('a window that is swallowed is sent again, and again, until it may go elsewhere', () => {
    const timer = new ResendTimer()
    const window = [0, 1, 2, 3]
    for (const datum of window) timer.sent(datum, 1, s(0))
    expect(timer.overdue(s(11), NOTHING_KNOWN)).toEqual(window)
    for (const datum of window) timer.sent(datum, 2, s(11))
    expect(timer.overdue(s(32), NOTHING_KNOWN)).toEqual(window)
  })

  test('a window of 512 that goes through one slow worker in order is never sent again, however long the last one waits', () => {
    const timer = new ResendTimer()
    for (let datum = 0; datum < 512; datum++) timer.sent(datum, 1, s(0))
    const resent: number[] = []
    for (let datum = 0; datum < 512; datum++) {
      const now = s(2 * (datum + 1))
      resent.push(...timer.overdue(now, NOTHING_KNOWN))
      timer.result(datum, 1, now)
    }
    expect(resent).toEqual([])
  })

  test('three sources that fill one queue, with a stall of half a minute in the middle: never a storm', () => {
    const timer = new ResendTimer()
    let attempt = new Map<number, number>()
    let most = 0
    let resent = 0
    for (let datum = 0; datum < 512; datum++) timer.sent(datum, 1, s(0))
    attempt = new Map(Array.from({ length: 512 }, (_, datum) => [datum, 1]))
    const again = new Set<number>()
    let done = 0
    for (let t = 0; done < 512; t += 0.5) {
      for (const datum of timer.overdue(s(t), NOTHING_KNOWN)) {
        resent++
        again.add(datum)
        attempt.set(datum, attempt.get(datum)! + 1)
        timer.sent(datum, attempt.get(datum)!, s(t))
      }
      most = Math.max(most, again.size)
      if (t > 60 && t < 90) continue // stalled
      timer.result(done, 1, s(t)) // the first dispatch answers: it only waited
      again.delete(done)
      done++
    }
    expect(most).toBeLessThanOrEqual(4)
    expect(resent).toBeLessThanOrEqual(8)
  })

  test('a datum that later ones have overtaken is sent again, those that are behind it in time are not', () => {
    const timer = new ResendTimer()
    timer.sent(0, 1, s(0))
    let resent: readonly number[] = []
    for (let datum = 1; datum < 100 && resent.length === 0; datum++) {
      timer.sent(datum, 1, s(datum))
      timer.result(datum, 1, s(datum + 0.5))
      resent = timer.overdue(s(datum + 0.5), NOTHING_KNOWN)
      expect(resent.every(late => late === 0)).toBe(true)
    }
    expect(resent).toEqual([0])
  })

  test('one that others have overtaken waits two seconds, or as long as one may take on the slowest device, up to ten', () => {
    for (const [expected, from] of [
      [0, 2],
      [5, 5],
      [60, 10]
    ] as const) {
      const timer = new ResendTimer()
      timer.sent(0, 1, s(0))
      for (let datum = 1; datum <= 20; datum++) {
        timer.sent(datum, 1, s(datum / 100))
        timer.result(datum, 1, s(datum / 100 + 0.02))
      }
      expect(timer.overdue(s(from), s(expected))).toEqual([])
      expect(timer.overdue(s(from + 0.01), s(expected))).toEqual([0])
    }
  })

  test('where nothing comes of anybody one is sent again after two seconds, and the others after ten, or once that one has come', () => {
    const timer = new ResendTimer()
    for (let datum = 0; datum < 20; datum++) {
      timer.sent(datum, 1, s(datum / 100))
      timer.result(datum, 1, s(datum / 100 + 0.02))
    }
    for (let datum = 20; datum < 30; datum++) timer.sent(datum, 1, s(1))
    expect(timer.overdue(s(3), NOTHING_KNOWN)).toEqual([])
    expect(timer.overdue(s(3.1), NOTHING_KNOWN)).toEqual([20])
    timer.sent(20, 2, s(3.1))
    expect(timer.overdue(s(3.11), NOTHING_KNOWN)).toEqual([])
    timer.result(20, 2, s(3.12))
    expect(timer.overdue(s(3.12), NOTHING_KNOWN)).toEqual([21, 22, 23, 24, 25])
  })

  test('a way that is slow by right is learnt from its own late results, whichever dispatch answers', () => {
    const timer = new ResendTimer()
    let resentOfSlow = 0
    const slow = new Map<number, Seconds>()
    const attempts = new Map<number, number>()
    for (let t = 0; t < 2000; t++) {
      timer.sent(t, 1, s(t))
      if (t % 50 === 0) slow.set(t, s(t + 60))
      else timer.result(t, 1, s(t + 0.9))
      for (const datum of timer.overdue(s(t + 0.9), NOTHING_KNOWN)) {
        if (t > 500) resentOfSlow++
        attempts.set(datum, 2)
        timer.sent(datum, 2, s(t + 0.9))
      }
      for (const [datum, at] of slow) {
        if (at > t + 0.9) continue
        slow.delete(datum)
        timer.result(datum, 1, at) // of its first dispatch
      }
    }
    expect(resentOfSlow).toBe(0)
  })

  test('few are under way again at a time: more when that is right, fewer when it was not', () => {
    const timer = new ResendTimer()
    for (let datum = 0; datum < 100; datum++) timer.sent(datum, 1, s(0))
    const first = timer.overdue(s(20), NOTHING_KNOWN)
    expect(first).toHaveLength(4)
    expect(timer.overdue(s(20), NOTHING_KNOWN)).toEqual([])
    for (const datum of first) timer.sent(datum, 2, s(20))
    for (const datum of first) timer.result(datum, 2, s(21)) // what was sent first is lost
    const second = timer.overdue(s(60), NOTHING_KNOWN)
    expect(second).toHaveLength(8)
    for (const datum of second) timer.sent(datum, 2, s(60))
    for (const datum of second.slice(0, 3)) timer.result(datum, 1, s(61)) // it was not
    expect(timer.overdue(s(200), NOTHING_KNOWN).filter(datum => !second.includes(datum))).toEqual([])
  })

  test('what waits at home is not late, whatever it waits for', () => {
    const timer = new ResendTimer()
    timer.sent(0, 1, s(0))
    expect(timer.overdue(s(100), NOTHING_KNOWN, () => true)).toEqual([])
    expect(timer.overdue(s(101), NOTHING_KNOWN)).toEqual([]) // it left home a moment ago, at the earliest
    expect(timer.overdue(s(103), NOTHING_KNOWN)).toEqual([0])
  })

  test('whatever happens, no more are under way again than 64, and each is sent again at most once in ten seconds', () => {
    const rng = createRng('resend')
    const timer = new ResendTimer()
    const again = new Map<number, number>()
    const attempts = new Map<number, number>()
    for (let datum = 0; datum < 500; datum++) {
      timer.sent(datum, 1, s(0))
      attempts.set(datum, 1)
    }
    for (let t = 0; t < 3000; t++) {
      for (const datum of timer.overdue(s(t), s(50))) {
        expect(t - (again.get(datum) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThan(10)
        again.set(datum, t)
        attempts.set(datum, attempts.get(datum)! + 1)
        timer.sent(datum, attempts.get(datum)!, s(t))
      }
      expect(again.size).toBeLessThanOrEqual(64)
      const datum = Math.floor(rng.next() * 500)
      if (rng.next() > 0.3) continue
      timer.result(datum, 1 + Math.floor(rng.next() * (attempts.get(datum) ?? 1)), s(t))
      again.delete(datum)
    }
  })
})
