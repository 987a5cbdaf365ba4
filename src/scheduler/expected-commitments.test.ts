import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { ExpectedCommitments } from './expected-commitments.ts'

/** Whoever expects reports every tenth of a second itself. */
const reporting = (): ExpectedCommitments => {
  const expected = new ExpectedCommitments()
  expected.reported(seconds(-0.2))
  expected.reported(seconds(-0.1))
  return expected
}
const at = (expected: ExpectedCommitments, resource: number, now: number): number => expected.at(resource, seconds(now))
const heard = (expected: ExpectedCommitments, from: number, work: number, now: number): void =>
  expected.heard(from, new Map([[7, work]]), seconds(now))

test('a device that commits as much as ever is expected to go on, until it tells', () => {
  const expected = reporting()
  for (let i = 0; i <= 100; i++) heard(expected, 1, 0.05, i / 10) // half a second a second
  expect(at(expected, 7, 10)).toBeCloseTo(0, 9)
  expect(at(expected, 7, 10.06)).toBeCloseTo(0.03, 3)
  heard(expected, 1, 0.05, 10.1)
  expect(at(expected, 7, 10.1)).toBeCloseTo(0, 9)
  expect(at(expected, 8, 10.1)).toBe(0)
})

test('nothing is expected of a device that was heard once', () => {
  const expected = reporting()
  heard(expected, 1, 0.05, 0)
  expect(at(expected, 7, 0.1)).toBe(0)
})

test('who tells nothing has committed nothing, and is soon expected to go on like that', () => {
  const expected = reporting()
  for (let i = 0; i <= 100; i++) heard(expected, 1, 0.05, i / 10)
  expect(at(expected, 7, 10.2)).toBeGreaterThan(0.09)
  expected.reported(seconds(10.1))
  expected.reported(seconds(10.2))
  expect(at(expected, 7, 10.2)).toBeCloseTo(0, 9)
  for (let i = 1; i <= 100; i++) expected.reported(seconds(10.2 + i / 10))
  expect(at(expected, 7, 20.3)).toBeCloseTo(0, 4)
  heard(expected, 1, 0.05, 20.25)
  expect(at(expected, 7, 20.3)).toBeGreaterThan(0)
})

test('what is taken back is no negative rate', () => {
  const expected = reporting()
  for (let i = 0; i < 10; i++) heard(expected, 1, -1, i)
  expect(at(expected, 7, 9.2)).toBe(0)
})

test('expectations of several devices add up, whatever the order in which they are heard', () => {
  const report = fc.record({ from: fc.integer({ min: 0, max: 3 }), work: fc.double({ min: 0, max: 1, noNaN: true }) })
  fc.assert(
    fc.property(fc.array(report, { minLength: 1, maxLength: 60 }), reports => {
      const together = reporting()
      const apart = [0, 1, 2, 3].map(() => reporting())
      for (const [i, { from, work }] of reports.entries()) {
        heard(together, from, work, i / 50)
        heard(apart[from]!, from, work, i / 50)
      }
      const now = reports.length / 50
      const sum = apart.reduce((total, expected) => total + at(expected, 7, now), 0)
      expect(at(together, 7, now)).toBeCloseTo(sum, 6)
    })
  )
})
