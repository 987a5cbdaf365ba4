import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { FairShare } from './fair-share.ts'

const admit = (fair: FairShare, every: number, count: number, { source = 'a', weight = 1, from = 0 } = {}): number => {
  let lag = 0
  for (let i = 0; i < count; i++) lag = fair.admitted(source, weight, true, seconds(from + i * every))
  return lag
}

test('a source that is alone is not ahead', () => {
  expect(admit(new FairShare(), 0.1, 100)).toBeCloseTo(0)
})

test('a source at twice the pace of the other gets ahead by a third of the time that passes, and is caught at the bound', () => {
  const fair = new FairShare()
  fair.heard(1, [{ source: 'b', pace: 5 }], seconds(0))
  expect(admit(fair, 0.1, 11)).toBeLessThan(0)
  fair.heard(1, [{ source: 'b', pace: 5 }], seconds(1.05))
  const before = fair.admitted('a', 1, true, seconds(1.1))
  const after = fair.admitted('a', 1, true, seconds(1.2))
  expect(after - before).toBeCloseTo(0.1 - 1 / 7.5) // the mean pace is 7.5, its own 10
  let lag = 0
  for (let i = 0; i < 400; i++) {
    const now = seconds(1.3 + i / 10)
    fair.heard(1, [{ source: 'b', pace: 1e-6 }], now)
    lag = fair.admitted('a', 1, true, now)
  }
  expect(lag).toBeCloseTo(-64 / 5)
})

test('one that is behind counts as no older than it is, however long its window shrank', () => {
  const fair = new FairShare()
  fair.heard(1, [{ source: 'b', pace: 20 }], seconds(0))
  expect(admit(fair, 0.1, 11)).toBe(0)
})

test('data that are admitted in bunches make no lag where the pace is fair', () => {
  const fair = new FairShare()
  const lags: number[] = []
  for (let second = 0; second < 200; second++) {
    fair.heard(1, [{ source: 'b', pace: 4 }], seconds(second))
    for (const [at] of [[0], [0.01], [0.02], [0.03]] as const)
      lags.push(fair.admitted('a', 1, true, seconds(second + at!)))
  }
  const late = lags.slice(-4 * 32)
  expect(late.reduce((sum, lag) => sum + lag, 0) / late.length).toBeGreaterThan(-2)
})

test('weights: thrice the weight is owed thrice the data', () => {
  const fair = new FairShare()
  const told = [{ source: 'b', pace: 10 }]
  fair.heard(1, told, seconds(0))
  expect(Math.abs(admit(fair, 1 / 30, 30, { weight: 3 }))).toBeLessThan(1e-9)
  expect(fair.paces(seconds(1))).toEqual([{ source: 'a', pace: expect.closeTo(10) }])
})

test('who keeps up with its data, stopped, or was not heard of for long does not count', () => {
  const fair = new FairShare()
  admit(fair, 0.1, 20)
  expect(fair.paces(seconds(60))).toEqual([])
  expect(fair.admitted('a', 1, false, seconds(61))).toBe(0)
  expect(fair.paces(seconds(61))).toEqual([])
  fair.heard(1, [{ source: 'b', pace: 1000 }], seconds(70))
  expect(admit(fair, 0.1, 30, { from: 80 })).toBeCloseTo(0)
})

test('a pace that is made up is not that of all: it counts as four times the fastest one here', () => {
  const fair = new FairShare()
  fair.heard(1, [{ source: 'b', pace: 5 }], seconds(0))
  for (const device of [2, 3, 4, 5, 6, 7]) fair.heard(device, [{ source: 'c', pace: 1 }], seconds(0))
  const lag = admit(fair, 0.1, 12)
  fair.heard(8, [{ source: 'd', pace: 1e9 }], seconds(1.15))
  // The mean of 5, 10, six times 1, and 40; with a billion it would be no longer ahead.
  expect(fair.admitted('a', 1, true, seconds(1.2)) - lag).toBeCloseTo(0.1 - 9 / (5 + 10 + 6 + 40))
})
