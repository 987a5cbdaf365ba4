import { expect, test } from 'vitest'
import { headline } from './headline.ts'
import type { PolicyRun, RunReport } from './run-report.ts'

interface Made {
  readonly time?: number
  readonly busy?: readonly number[]
  readonly link?: number
}

const run = (policy: string, throughput: number, { time = 1, busy = [0.5], link = 0 }: Made = {}): PolicyRun => ({
  ...{ policy, throughput, seed: 1, emulated: false, makespan: 10 },
  sources: [
    {
      ...{ name: 'cam', admitted: 10, completed: 10, dropped: 0, lost: 0, rate: throughput },
      inferenceTime: { mean: time, p50: time, p95: time, p99: time }
    }
  ],
  devices: busy.map((share, i) => ({ name: `d${i}`, busy: share, tasks: 1, residentBytes: 1 })),
  links: [{ from: 'd0', to: 'd1', bytes: 1, busy: link }]
})
const failed = (policy: string): PolicyRun => ({ ...run(policy, 0), because: 'nobody carries it' })

const report = (...runs: readonly PolicyRun[]): RunReport => ({ saturated: true, scenario: 'x', runs, bound: null })

test('who gives most, by how much more than the next', () => {
  const { lead, more } = headline(report(run('local', 4), run('confluence', 10), run('ddi', 8)))
  expect(lead).toBe('confluence gives most, 10.0 results per second: 25 % more than ddi, the next.')
  expect(more[0]).toBe(
    'Distributing pays: confluence gives 2.50 times the results of local, which leaves data where they are.'
  )
})

test('who is hardly apart shares the place', () => {
  const lead = (...runs: readonly PolicyRun[]): string => headline(report(...runs)).lead
  expect(lead(run('a', 10), run('b', 9.9), run('c', 2))).toBe(
    'a and b (hardly apart) give most, 10.0 results per second: 5.00 times as many as c, the next.'
  )
  expect(lead(run('a', 10), run('b', 9.9))).toBe('All policies give about as much: 10.0 results per second.')
  expect(lead(run('a', 10))).toBe('a gives 10.0 results per second.')
  expect(lead(failed('a'))).toBe('No policy finished; the table says why.')
})

test('where sources bring what all policies keep up with, time decides', () => {
  const runs = [run('local', 5, { time: 2 }), run('confluence', 5, { time: 1 })]
  const { lead, more } = headline({ ...report(...runs), saturated: false })
  expect(lead).toContain(
    'confluence has results back soonest, after 1.00 s in the mean: local, the next, takes 100 % longer.'
  )
  expect(more[0]).toContain('pays in time, not in rate: confluence has results back 2.00 times as soon as local')
})

test('whether distributing pays is said whatever is known of it', () => {
  const said = (...runs: readonly PolicyRun[]): string => headline(report(...runs)).more[0]!
  expect(said(run('confluence', 5), run('local', 6))).toContain('Distributing does not pay here')
  expect(said(run('confluence', 5), failed('local'))).toContain('Without distributing it does not work at all')
  expect(said(run('confluence', 5), run('ddi', 4))).toContain('is not told')
})

test('what limits: what is busy nearly all the run', () => {
  const limit = (made: Made): string => headline(report(run('a', 5, made))).more[1]!
  expect(limit({ busy: [0.9, 0.99, 0.2] })).toBe(
    'Computing limits a: 2 of 3 devices are busy nearly all the run (d1 99 %, d0 90 %).'
  )
  expect(limit({ busy: [0.9], link: 0.95 })).toBe('The link d0 → d1 limits a: it sends 95 % of the run.')
  expect(limit({ busy: [0.4], link: 0.3 })).toContain('what is busiest works 40 % of the run')
})

test('several seeds: whether the first two are apart by more than chance', () => {
  const summary = (mean: number, ci95: number) => ({
    ...{ policy: `p${mean}`, seeds: 5, sources: [] },
    ...{ throughput: { mean, ci95 }, makespan: { mean: 1, ci95: 0 } }
  })
  const said = (ci95: number): string =>
    headline({ ...report(run('p10', 10), run('p9', 9)), summary: [summary(9, ci95), summary(10, ci95)] }).more.at(-1)!
  expect(said(0.1)).toBe('Over 5 seeds, p10 and p9 are further apart than chance explains.')
  expect(said(0.9)).toContain('no further apart')
})
