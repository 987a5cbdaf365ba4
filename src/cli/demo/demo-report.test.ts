import { expect, test } from 'vitest'
import { timeSummary } from '../../core/time-summary.ts'
import {
  allRight,
  describeEncoding,
  deviceTable,
  openOrders,
  policyTable,
  speedups,
  textSamples
} from './demo-report.ts'
import type { EncodingCost, PolicyOutcome, PolicyRun } from './policy-outcome.ts'

const times = timeSummary([0.2, 0.4])
const source = { name: 'porch', images: 2, correct: 2, wrong: 0, lost: 0, duplicates: 0, inferenceTime: times }
const exact: EncodingCost = { choice: 'fp32', links: [], differently: 0, maxDifference: 0, meanDifference: 0 }
const run = (policy: string, throughput: number, more: Partial<PolicyRun> = {}): PolicyRun => ({
  policy,
  sources: [source],
  throughput,
  rounds: [{ throughput, makespan: 1 }],
  makespan: 1,
  disturbance: 0,
  bytesSent: 2 ** 20,
  devices: [{ name: 'porch', blocks: [0, 1, 2], residentBytes: 3 * 2 ** 20, busy: 0.974 }],
  encoding: exact,
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

test('where activations travel inexactly a text may differ, and how much is said; nothing may be lost', () => {
  const links = [
    { from: 'a', to: 'b', encoding: 'int8' },
    { from: 'b', to: 'a', encoding: 'fp32' }
  ]
  const encoding: EncodingCost = { choice: 'auto', links, differently: 1, maxDifference: 0.1, meanDifference: 0.0123 }
  const wrong = run('confluence', 1, { encoding, sources: [{ ...source, correct: 1, wrong: 1 }] })
  expect(allRight(wrong)).toBe(true)
  expect(allRight({ ...wrong, sources: [{ ...source, lost: 1 }] })).toBe(false)
  expect(describeEncoding(wrong).join(' ')).toBe(
    ' confluence: activations as auto (fp32 on 1 links, int8 on 1 links): 1 of 2 texts read differently; confidence off by 0.012 on average, 0.10 at most.'
  )
  expect(describeEncoding(run('confluence', 1))).toEqual([])
})

test('the tables give each policy a row with units', () => {
  const outcomes = [outcome(run('local', 10)), outcome(run('confluence', 25))]
  const lines = policyTable(outcomes).split('\n')
  expect(lines[3]).toMatch(/^confluence +25\.0 +2\.50 +300 ms +400 ms +2 +1\.00 MiB$/)
  expect(lines.at(-1)).toBe('No text wrong, none lost, none twice.')
  const wrong = run('ddi', 5, { sources: [{ ...source, correct: 0, wrong: 1, lost: 1, duplicates: 3 }] })
  expect(
    policyTable([outcome(wrong)])
      .split('\n')
      .at(-1)
  ).toMatch(/^ddi .* 0 +1\/1\/3$/)
  expect(deviceTable(outcomes).split('\n').slice(2, 4)).toEqual(['local       0-2 (3.00 MiB)', '            97 % busy'])
})

test('rounds: their mean and its interval beside the rate of all, within 80 columns', () => {
  const rounds = [22.04, 25.46, 24].map(throughput => ({ throughput, makespan: 1 }))
  const long = run('confluence', 123.4, { rounds, bytesSent: 1023 * 2 ** 20 })
  const [head, , row] = policyTable([outcome(long)]).split('\n')
  expect(head).toMatch(/^policy +images\/s +a round +x local/)
  expect(row).toMatch(/^confluence +123\.4 +23\.8 ± 4\.3 /)
  for (const line of [head!, row!]) expect(line.length).toBeLessThanOrEqual(80)
})

test('whether an order may be an accident is told by what two policies differ by in the same rounds', () => {
  const rounds = (...rates: readonly number[]) => ({ rounds: rates.map(throughput => ({ throughput, makespan: 1 })) })
  const runs = [
    run('local', 6, rounds(6, 7, 5)),
    run('ddi', 18, rounds(18, 19, 17)),
    run('confluence', 18.4, rounds(18.4, 19.5, 17.3))
  ]
  // They vary more than they differ, but one is ahead in each round by as much.
  expect(openOrders(runs)).toEqual([])
  const close = run('confluence', 18.4, rounds(18.4, 17, 19.8))
  expect(openOrders([...runs.slice(0, 2), close])).toEqual([
    'Whether confluence or ddi is faster these rounds do not tell: they differ by 0.4 ± 6.0 images/s.'
  ])
  expect(openOrders([run('ddi', 18), run('confluence', 18)])).toEqual([])
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
