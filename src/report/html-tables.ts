import { comparableBound } from './comparable-bound.ts'
import { describeCompleted } from './describe-completed.ts'
import { escapeHtml } from './escape-html.ts'
import type { MeanInterval } from './mean-interval.ts'
import type { BoundReport, PolicyRun, PolicySummary, RunReport, SourceRun } from './run-report.ts'
import { shareOfBound } from './share-of-bound.ts'
import { threeDigits } from './three-digits.ts'

interface Column {
  readonly title: string
  readonly isName?: boolean
}

const OF_BOUND = '% of bound'

const SOURCE_COLUMNS: readonly Column[] = [
  { title: 'policy', isName: true },
  { title: 'results/s' },
  { title: OF_BOUND },
  { title: 'source', isName: true },
  { title: 'completed' },
  { title: 'mean, s' },
  { title: 'median, s' },
  { title: 'p95, s' },
  { title: 'p99, s' }
]
const SUMMARY_COLUMNS: readonly Column[] = [
  { title: 'policy', isName: true },
  { title: 'seeds' },
  { title: 'results/s' },
  { title: 'makespan, s' },
  { title: 'source', isName: true },
  { title: 'mean, s' },
  { title: 'p95, s' }
]

const SIMULATED_COLUMNS: readonly Column[] = [
  { title: 'policy', isName: true },
  { title: 'what', isName: true },
  { title: 'emulated' },
  { title: 'simulated' },
  { title: 'emulated is' }
]

/**
 * The numbers of one run per policy, that which the figures show; means over seeds where there are several; the simulation beside it
 * where there is one.
 */
export const htmlTables = (report: RunReport, shown: readonly PolicyRun[]): string => {
  const bound = comparableBound(report)
  const columns = SOURCE_COLUMNS.filter(({ title }) => bound !== null || title !== OF_BOUND)
  const { summary, simulated } = report
  return [
    table(
      columns,
      shown.flatMap(run => rowsOf(run, bound))
    ),
    ...(summary === undefined
      ? []
      : [
          `<h2>Means over seeds, with 95 % intervals</h2>`,
          table(SUMMARY_COLUMNS, summary.toSorted(byThroughput).flatMap(summaryRows))
        ]),
    ...(simulated === undefined
      ? []
      : [`<h2>Beside the simulation</h2>`, table(SIMULATED_COLUMNS, simulatedRows(report.runs, simulated))])
  ].join('\n')
}

/** Cells are HTML. A row with fewer cells than columns: its last one takes the rest. */
const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const kind = (i: number): string => (columns[i]!.isName === true ? ' class="name"' : '')
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const rest = columns.length - i
        const isShort = i === row.length - 1 && rest > 1
        return isShort ? `<td class="name why" colspan="${rest}">${cell}</td>` : `<td${kind(i)}>${cell}</td>`
      })
      .join('')
  return `<div class="wide"><table><thead><tr>${columns.map(({ title }, i) => `<th scope="col"${kind(i)}>${title}</th>`).join('')}</tr></thead>
<tbody>
${rows.map(row => `<tr>${cells(row)}</tr>`).join('\n')}
</tbody></table></div>`
}

const rowsOf = (run: PolicyRun, bound: BoundReport | null): string[][] => {
  const { policy, throughput, sources, because } = run
  if (because !== undefined && sources.every(({ completed }) => completed === 0))
    return [[escapeHtml(policy), `cannot run: ${escapeHtml(because)}`]]
  const share = bound === null ? [] : [`${Math.floor(100 * shareOfBound(run, bound))}`]
  const rows = sources.map((source, i) => [
    ...(i === 0 ? [escapeHtml(policy), threeDigits(throughput), ...share] : ['', '', ...share.map(() => '')]),
    escapeHtml(source.name),
    describeCompleted(source),
    ...timesOf(source).map(threeDigits)
  ])
  return because === undefined ? rows : [...rows, ['', `did not finish: ${escapeHtml(because)}`]]
}

const timesOf = ({ inferenceTime: { mean, p50, p95, p99 } }: SourceRun): number[] => [mean, p50, p95, p99]

const summaryRows = ({ policy, seeds, throughput, makespan, sources }: PolicySummary): string[][] =>
  sources.map(({ name, inferenceTime: { mean, p95 } }, i) => [
    ...(i === 0 ? [escapeHtml(policy), `${seeds}`, interval(throughput), interval(makespan)] : ['', '', '', '']),
    escapeHtml(name),
    interval(mean),
    interval(p95)
  ])

/** Those of which some run failed come last. */
const byThroughput = (a: PolicySummary, b: PolicySummary): number =>
  (a.failed ?? 0) - (b.failed ?? 0) || b.throughput.mean - a.throughput.mean

const interval = ({ mean, ci95 }: MeanInterval): string =>
  Number.isFinite(ci95) ? `${threeDigits(mean)} ± ${threeDigits(ci95)}` : threeDigits(mean)

const simulatedRows = (runs: readonly PolicyRun[], simulated: readonly PolicyRun[]): string[][] =>
  runs.flatMap((run, i) => {
    const other = simulated[i]
    if (other === undefined || run.because !== undefined) return []
    const beside = (what: string, a: number, b: number): string[] => [what, threeDigits(a), threeDigits(b), apart(a, b)]
    return [
      [escapeHtml(run.policy), ...beside('results/s', run.throughput, other.throughput)],
      ...run.sources.flatMap(({ name, inferenceTime: { mean, p95 } }, s) => {
        const { inferenceTime } = other.sources[s]!
        return [
          ['', ...beside(`${escapeHtml(name)}, mean, s`, mean, inferenceTime.mean)],
          ['', ...beside(`${escapeHtml(name)}, p95, s`, p95, inferenceTime.p95)]
        ]
      })
    ]
  })

const apart = (a: number, b: number): string => {
  const share = 100 * (a / b - 1)
  return Number.isFinite(share) ? `${share >= 0 ? '+' : '−'}${Math.abs(share).toFixed(1)} %` : '–'
}
