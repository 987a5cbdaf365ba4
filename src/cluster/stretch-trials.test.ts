import fc from 'fast-check'
import { expect, test } from 'vitest'
import { STRETCHES, StretchTrials } from './stretch-trials.ts'

/** The stretch at each of so many measures of a network that serves `rate` at each stretch. */
const tried = (rate: (stretch: number, i: number) => number, measures: number, trials = new StretchTrials()) =>
  Array.from({ length: measures }, (_, i) => {
    const { stretch } = trials
    trials.measured(rate(stretch, i))
    return stretch
  })

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length

test('where more is served beyond, it goes there, and no further', () => {
  const rate = (stretch: number): number => Math.min(20, 10 * stretch)
  const stretches = tried(rate, 200).slice(20)
  expect(mean(stretches.map(rate))).toBeGreaterThan(19.5)
  expect(mean(stretches)).toBeLessThan(2.4)
})

test('where nothing is to be had beyond, trials become seldom', () => {
  const stretches = tried(stretch => Math.min(10, 10 * stretch), 300)
  expect(stretches.slice(0, 20).filter(stretch => stretch > 1).length).toBeGreaterThan(0)
  expect(stretches.slice(-150).filter(stretch => stretch > 1).length).toBeLessThan(5)
  expect(new Set(stretches)).toEqual(new Set([0.8, 1, 1.5]))
})

test('where less serves as much, it becomes the least that may be', () => {
  expect(Math.min(...tried(() => 10, 50))).toBeGreaterThanOrEqual(STRETCHES.least)
  expect(tried(() => 10, 50).at(-1)).toBeLessThan(0.6)
})

test('a level stretch is crossed in one bold step', () => {
  const rate = (stretch: number): number => (stretch < 1.4 ? 10 : 15)
  expect(mean(tried(rate, 100).slice(20).map(rate))).toBeGreaterThan(14)
})

test('a network that is another than before is tried at once, however seldom the last trials were', () => {
  const trials = new StretchTrials()
  tried(stretch => Math.min(10, 10 * stretch), 300, trials)
  const after = tried(stretch => Math.min(8, 4 * stretch), 20, trials)
  expect(after.at(-1)).toBeGreaterThan(1.5)
})

test('twice the rates, the same decisions; never beyond its limits, whatever is measured', () => {
  const rates = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(rates, measures => {
      const stretches = tried((_, i) => measures[i]!, measures.length)
      for (const stretch of stretches) {
        expect(stretch).toBeGreaterThanOrEqual(STRETCHES.least)
        expect(stretch).toBeLessThanOrEqual(STRETCHES.most)
      }
      expect(tried((_, i) => 2 * measures[i]!, measures.length)).toEqual(stretches)
    })
  )
})

test('a smaller window that serves much less is given up before its time, a larger one is not', () => {
  const trials = new StretchTrials()
  expect(trials.isHopeless(1)).toBe(false)
  tried(stretch => Math.min(10, 10 * stretch), 1, trials)
  const stretches = new Set<number>()
  for (let i = 0; i < 10; i++) {
    stretches.add(trials.stretch)
    expect(trials.isHopeless(9)).toBe(trials.stretch < 1)
    expect(trials.isHopeless(9.9)).toBe(false)
    trials.measured(Math.min(10, 10 * trials.stretch))
  }
  expect(stretches).toEqual(new Set([0.8, 1, 1.5]))
})
