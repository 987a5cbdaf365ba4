import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { timeSummary } from '../../core/time-summary.ts'
import type { PlanOutcome } from '../../planner/plan.ts'
import { problemOfScenario } from '../../planner/problem-of-scenario.ts'
import type { PolicyRun } from '../../report/run-report.ts'
import { scenarioReport } from '../../studies/scenario-report.ts'
import { describeRuns } from './describe-runs.ts'

const scenario = parseScenario(
  {
    devices: { porch: {}, shed: {} },
    links: { topology: 'none', media: [{ name: 'wifi', devices: ['porch', 'shed'] }] },
    models: { m: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
    sources: [{ name: 'a-source-of-a-rather-long-name', device: 'porch', model: 'm' }]
  },
  'here'
)
const none: PlanOutcome = { kind: 'infeasible', isProven: true, because: 'x', free: undefined }

const run = (policy: string, seed: number, more: Partial<PolicyRun> = {}): PolicyRun => ({
  ...{ policy, seed, emulated: false, makespan: 10, throughput: 123.4 },
  sources: [
    {
      ...{ name: 'a-source-of-a-rather-long-name', admitted: 1000, completed: 1000, dropped: 0, lost: 0, rate: 100 },
      inferenceTime: timeSummary([0.0123, 0.0456])
    }
  ],
  devices: [{ name: 'porch', busy: 0.9, tasks: 5, residentBytes: 0 }],
  links: [
    { from: 'porch', to: 'shed', bytes: 500, busy: 0.3 },
    { from: 'shed', to: 'porch', bytes: 100, busy: 0.25 }
  ],
  ...more
})
const report = (runs: PolicyRun[]) =>
  scenarioReport(
    scenario,
    problemOfScenario(scenario, [{ name: 'm', work: [], weights: [], activations: [] }]),
    none,
    runs
  )

test('how busy a shared medium is: what its links use together', () => {
  const { runs } = report([run('ddi', 1)])
  expect(runs[0]!.media).toEqual([{ devices: ['porch', 'shed'], bytes: 600, busy: 0.55 }])
  expect(describeRuns(report([run('ddi', 1)])).replaceAll(/\s+/g, ' ')).toContain('medium of porch, shed 55 %')
})

test('with several seeds, a policy that cannot run is no result', () => {
  const empty = { name: 'a', admitted: 1, completed: 0, dropped: 0, lost: 1, rate: 0, inferenceTime: timeSummary([]) }
  const broken = [1, 2].map(seed => run('local', seed, { because: 'no room', throughput: 0, sources: [empty] }))
  const made = report([
    ...broken,
    run('ddi', 1),
    run('ddi', 2, { because: 'lost some' }),
    run('pa-mdi', 1),
    run('pa-mdi', 2)
  ])
  expect(made.summary!.map(({ policy, failed }) => [policy, failed])).toEqual([
    ['local', 2],
    ['ddi', 1],
    ['pa-mdi', undefined]
  ])
  const text = describeRuns(made)
  expect(text).toMatch(/^local +cannot run +a +- /m)
  expect(text).toMatch(/^ddi +did not finish/m)
  expect(text).toMatch(/^pa-mdi +123\/s/m)
})

test('everything fits into 80 columns', () => {
  const long = { because: 'a reason '.repeat(30).trim() }
  for (const runs of [
    [run('backpressure', 1, long), run('confluence', 1)],
    [1, 2].map(seed => run('backpressure', seed))
  ])
    for (const line of describeRuns(report(runs)).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})
