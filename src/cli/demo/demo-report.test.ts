import { expect, test } from 'vitest'
import { timeSummary } from '../../core/time-summary.ts'
import { allRight, deviceTable, policyTable, speedups, textSamples } from './demo-report.ts'
import type { PolicyOutcome, PolicyRun } from './run-policy.ts'

const times = timeSummary([0.2, 0.4])
const source = { name: 'porch', images: 2, correct: 2, wrong: 0, lost: 0, duplicates: 0, inferenceTime: times }
const run = (policy: string, throughput: number, more: Partial<PolicyRun> = {}): PolicyRun => ({
  policy,
  sources: [source],
  throughput,
  makespan: 1,
  bytesSent: 2 ** 20,
  devices: [{ name: 'porch', blocks: [0, 1, 2], residentBytes: 3 * 2 ** 20, busy: 0.974 }],
  ...more
})
const outcome = (of: PolicyRun): PolicyOutcome => ({
  run: of,
  inferenceTime: times,
  texts: new Map([['porch/a.png', 'EXIT']])
})

test('the speedup is a ratio of throughputs, and absent when one side did not run', () => {
  expect(speedups([run('local', 10), run('ddi', 15), run('confluence', 25)])).toEqual({ 'confluence/local': 2.5 })
  expect(speedups([run('confluence', 25)])).toEqual({})
})

test('one wrong, lost or repeated text is enough for a run not to be right', () => {
  expect(allRight(run('local', 1))).toBe(true)
  for (const flaw of ['wrong', 'lost', 'duplicates']) {
    expect(allRight(run('local', 1, { sources: [source, { ...source, [flaw]: 1 }] }))).toBe(false)
  }
})

test('the tables give each policy a row with units', () => {
  const outcomes = [outcome(run('local', 10)), outcome(run('confluence', 25))]
  expect(policyTable(outcomes).split('\n')[3]).toMatch(
    /^confluence +300 ms +400 ms +25\.0 +2\.50 +2 +0 +0 +0 +1\.00 MiB$/
  )
  expect(deviceTable(outcomes).split('\n')[2]).toMatch(/^local +0-2 \(3\.00 MiB\), 97 % busy$/)
})

test('samples show what was recognised beside what stands there', () => {
  const images = [{ source: 'porch', folder: '/x', items: ['a.png', 'b.png'], truth: new Map([['a.png', 'EX1T']]) }]
  const plain = new Map([['porch', new Map([['a.png', 'EXIT']])]])
  expect(
    textSamples(images, outcome(run('confluence', 1)), plain, 3)
      .split('\n')
      .slice(2)
  ).toEqual(['porch/a.png  EXIT        EXIT                EX1T'])
})
