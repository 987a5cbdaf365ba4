import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { ToldWork } from './told-work.ts'

test('who tells of more work than anybody has is believed up to the bound, and then what has drained of that', () => {
  const told = new ToldWork()
  expect(told.credible(1, 0, 4, 10, seconds(0))).toBe(4)
  expect(told.credible(1, 0, 1e6, 10, seconds(0))).toBe(6)
  expect(told.credible(1, 0, 1e6, 10, seconds(3))).toBe(3)
  expect(told.credible(2, 0, 1e6, 10, seconds(3))).toBe(10) // each for itself
  expect(told.credible(1, 1, 1e6, 10, seconds(3))).toBe(10)
})

test('work is taken back that others told, up to the bound, and less than a tenth of the time after that', () => {
  const told = new ToldWork()
  expect(told.credible(1, 0, -4, 10, seconds(0))).toBe(-4)
  expect(told.credible(1, 0, -1e6, 10, seconds(0))).toBe(-6)
  expect(told.credible(1, 0, -1e6, 10, seconds(5))).toBeCloseTo(-0.5)
  expect(told.credible(1, 0, 2, 10, seconds(5))).toBeCloseTo(2)
})

test('a bound that shrinks takes nothing back', () => {
  const told = new ToldWork()
  told.credible(1, 0, 8, 10, seconds(0))
  expect(told.credible(1, 0, 1, 2, seconds(0))).toBe(0)
})

test('what is left of what somebody told goes with it', () => {
  const told = new ToldWork()
  told.credible(1, 0, 4, 10, seconds(0))
  told.credible(1, 7, -4, 10, seconds(0))
  expect([...told.forget(1, seconds(1))]).toEqual([
    [0, 3],
    [7, 0]
  ])
  expect(told.forget(1, seconds(1)).size).toBe(0)
})
