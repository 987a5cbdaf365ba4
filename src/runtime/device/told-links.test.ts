import { expect, test } from 'vitest'
import { ToldLinks } from './told-links.ts'

const shed = 'shed'

test('what has moved by less than a twentieth is told as before, and what adds up to more is told', () => {
  const told = new ToldLinks()
  const rates = [100, 104, 96, 105.1, 101, 99].map(rate => told.of(shed, { rate, latency: 0.01 }).rate)
  expect(rates).toEqual([100, 100, 100, 105.1, 105.1, 99])
})

test('a latency of less than a tenth of a millisecond more or less is no news, and one that has doubled is', () => {
  const told = new ToldLinks()
  const latencies = [0.0002, 0.00029, 0.00011, 0.0004, 0.01, 0.0104, 0.011].map(
    latency => told.of(shed, { rate: 1, latency }).latency
  )
  expect(latencies).toEqual([0.0002, 0.0002, 0.0002, 0.0004, 0.01, 0.01, 0.011])
})

test('of a device that is not spoken of any more nothing is kept', () => {
  const told = new ToldLinks()
  for (const name of ['shed', 'porch']) told.of(name, { rate: 100, latency: 0.01 })
  told.keepOnly(new Set(['porch']))
  expect(['shed', 'porch'].map(name => told.of(name, { rate: 101, latency: 0.01 }).rate)).toEqual([101, 100])
})

test('a device that was forgotten is told anew', () => {
  const told = new ToldLinks()
  told.of(shed, { rate: 100, latency: 0.01 })
  told.forget(shed)
  expect(told.of(shed, { rate: 101, latency: 0.01 })).toEqual({ rate: 101, latency: 0.01 })
})
