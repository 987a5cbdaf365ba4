import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { RecentRate } from './recent-rate.ts'

test('a rate is of now, not of then: what was done long ago does not count, and idleness shows', () => {
  const rate = new RecentRate()
  let count = 0
  for (let t = 0; t <= 60; t++) {
    count += t < 30 ? 5 : 0
    const now = rate.at(seconds(t), count)
    if (t > 0 && t < 30) expect(now).toBeCloseTo(5, 9)
    if (t >= 41) expect(now).toBe(0)
  }
  for (let t = 61; t <= 75; t++) {
    count += 2
    if (t >= 72) expect(rate.at(seconds(t), count)).toBeCloseTo(2, 9)
    else rate.at(seconds(t), count)
  }
})

test('a first look knows nothing, looks in one moment do not divide by it', () => {
  const rate = new RecentRate()
  expect(rate.at(seconds(5), 100)).toBe(0)
  expect(rate.at(seconds(5), 101)).toBe(0)
  expect(rate.at(seconds(5.001), 101)).toBeLessThanOrEqual(5)
})

test('seldom looks still tell the rate since the last of them', () => {
  const rate = new RecentRate()
  rate.at(seconds(0), 0)
  rate.at(seconds(100), 500)
  expect(rate.at(seconds(103), 506)).toBeCloseTo(506 / 103, 1)
  expect(rate.at(seconds(112), 506)).toBeCloseTo(6 / 12, 9)
})
