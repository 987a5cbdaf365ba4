import { blockRanges } from '../../core/block-ranges.ts'
import { formatBytes, formatSeconds } from '../../core/format-quantity.ts'
import type { Seconds } from '../../core/units.ts'
import type { CapacityProblem } from '../../planner/capacity-problem.ts'
import type { Explanation } from '../../planner/explain-plan.ts'
import type { Plan } from '../../planner/plan.ts'
import { foldText } from '../../report/fold-text.ts'
import { textTable } from '../../report/text-table.ts'
import { describeDemand } from '../../studies/demand-report.ts'
import type { PlanReport } from '../../studies/plan-report.ts'

export interface PlanInWords {
  readonly problem: CapacityProblem
  readonly plan: Plan
  readonly report: PlanReport
  readonly explanation: Explanation
  readonly timeLimit: Seconds
}

/** A plan for people: who carries what, what each source gets, how good that is and what limits it. */
export const describePlan = (words: PlanInWords): string => {
  const { plan, explanation, report, timeLimit } = words
  const notes: (readonly [title: string, text: string])[] = [
    ['scale', `${plan.predicted.scale.toPrecision(4)} (${howGood(plan)})`],
    ...report.demands.map((demand, i) => [i === 0 ? 'demand' : '', describeDemand(demand)] as const),
    ['bottleneck', explanation.bottleneck],
    ...[...explanation.gains, explanation.pays].map(text => ['', text] as const),
    ...(plan.isCutOff
      ? [
          [
            'cut off',
            `by its time limit of ${formatSeconds(timeLimit)}: bounds and gap hold, but another run may find another plan; give more time with --time-limit`
          ] as const
        ]
      : [])
  ]
  const lines = notes.map(([title, text]) => foldText(title.padEnd(INDENT.length) + text, INDENT))
  const { devices, sources } = words.problem
  return [
    deviceTable(words),
    ...leftOut(devices.length, 'devices, the busiest are shown'),
    '',
    sourceTable(words),
    ...leftOut(sources.length, 'sources'),
    '',
    ...lines
  ].join('\n')
}

/** Rows that people read; --json has all. */
const MOST_ROWS = 50

const leftOut = (count: number, what: string): string[] =>
  count <= MOST_ROWS ? [] : [`and ${count - MOST_ROWS} more ${what}; --json has all`]

const INDENT = ' '.repeat(12)

const howGood = ({ gap, status }: Plan): string => {
  const most = `at most ${(100 * gap).toFixed(1)} % below what any placement can serve`
  return status === 'optimal' ? `optimal: ${most}` : `not proven best: ${most}`
}

const deviceTable = ({ problem, plan, report }: PlanInWords): string =>
  textTable(
    [
      { title: 'device' },
      { title: 'carries' },
      { title: 'bytes', align: 'right' },
      { title: 'memory', align: 'right' },
      { title: 'busy', align: 'right' }
    ],
    shownDevices(problem, plan).map(n => {
      const { name, memory, lanes = 1 } = problem.devices[n]!
      const ofLanes = lanes === 1 ? '' : ` x ${lanes}`
      const carried = Object.entries(report.placement[name]!).map(
        ([model, blocks]) => `${model} ${blockRanges(blocks)}`
      )
      const used = [...plan.table.of(n)].reduce((sum, [m, k]) => sum + plan.table.size(m, k), 0)
      return [
        name,
        carried.join('; ') || 'nothing',
        formatBytes(used),
        memory === Number.POSITIVE_INFINITY ? 'no limit' : `${formatBytes(memory)}${ofLanes}`,
        `${(100 * plan.predicted.use[n]!).toFixed(0)} %`
      ]
    })
  )

/** In their order, the busiest where there are too many. */
const shownDevices = ({ devices }: CapacityProblem, { predicted: { use } }: Plan): number[] =>
  [...devices.keys()]
    .sort((a, b) => use[b]! - use[a]! || a - b)
    .slice(0, MOST_ROWS)
    .sort((a, b) => a - b)

const sourceTable = ({ problem, report: { predicted, bound, boundWithMemory } }: PlanInWords): string =>
  textTable(
    ['source', 'demand', 'predicted', 'bound', 'without\nmemory limits', 'unloaded\ntime'].map((title, i) => ({
      title,
      align: i === 0 ? 'left' : 'right'
    })),
    problem.sources
      .slice(0, MOST_ROWS)
      .map(({ name, demand }) => [
        name,
        rate(demand),
        rate(predicted!.rates[name]!),
        rate(boundWithMemory!.rates[name]!),
        rate(bound!.rates[name]!),
        time(predicted!.latency[name]!)
      ])
  )

const rate = (perSecond: number): string => `${perSecond.toPrecision(3)}/s`

/** What there was no time for is not known. */
const time = (latency: number): string => (Number.isNaN(latency) ? 'not known' : formatSeconds(latency))
