import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import type { Policy, Report } from '../scheduler/policy.ts'
import { ReportRule } from './report-rule.ts'
import { WindowStretch } from './window-stretch.ts'

const alone = new WindowStretch({ self: deviceId('a'), now: () => seconds(0) })

/** At which of so many times, one interval apart, something is told. */
const told = (reports: (i: number) => Partial<Report>, { interval = 0.1, times = 10, isRestless = true } = {}) => {
  let i = 0
  const report = () => ({ backlog: seconds(0), commitments: [], received: [], ...reports(i) })
  const rule = new ReportRule({ reportInterval: () => seconds(interval), report } as unknown as Policy, alone)
  const at: number[] = []
  for (; i < times; i++) if (rule.next(seconds(i * rule.interval), isRestless) !== undefined) at.push(i)
  return at
}
const all = Array.from({ length: 10 }, (_, i) => i)

test('news is told at once, and a backlog and commitments each time', () => {
  expect(told(i => ({ received: [{ device: 0, tasks: i }] }))).toEqual(all)
  expect(told(() => ({ backlog: seconds(0.3) }))).toEqual(all)
  expect(told(() => ({ commitments: [{ from: 0, to: 0, seconds: 1 }] }))).toEqual(all)
  expect(told(i => ({ received: [{ device: 0, tasks: Math.floor(i / 4) }] }))).toEqual([0, 4, 8])
})

test('that nothing is new is told twice a second while something happens, and every ten seconds where nothing does', () => {
  expect(told(() => ({}))).toEqual([0, 5])
  expect(told(() => ({}), { times: 250, isRestless: false })).toEqual([0, 100, 200])
})

test('of many devices it is told in every fifth or hundredth of their intervals, which grow with their number', () => {
  expect(told(() => ({}), { interval: 2, times: 11 })).toEqual([0, 5, 10])
  expect(told(() => ({}), { interval: 0.3, times: 250, isRestless: false })).toEqual([0, 100, 200])
})
