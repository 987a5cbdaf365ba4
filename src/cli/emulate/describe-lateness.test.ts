import { expect, test } from 'vitest'
import type { PolicyRun } from '../../report/run-report.ts'
import { describeLateness } from './describe-lateness.ts'

const run = (of: Partial<PolicyRun>): PolicyRun => ({
  ...{ policy: 'ddi', seed: 1, emulated: true, makespan: 1, throughput: 1, sources: [], devices: [], links: [] },
  ...of
})

test('processors that were late are said, also where blocks were in time', () => {
  expect(describeLateness(run({ disturbance: 0.01, processorLateness: 0.012 }))).toMatch(
    /^ddi: processors were late: blocks were in time, but sending and deciding waited 12\.0 ms/
  )
})

test('late blocks say more than late processors', () => {
  expect(describeLateness(run({ disturbance: 0.2, processorLateness: 0.5 }))).toMatch(/^ddi: blocks took 20 % longer/)
})

test('of a machine that kept up nothing is said', () => {
  expect(describeLateness(run({ disturbance: 0.02, processorLateness: 0.002 }))).toBe(undefined)
  expect(describeLateness(run({}))).toBe(undefined)
})
