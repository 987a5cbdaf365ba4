import { comparableBound } from './comparable-bound.ts'
import { describeCompleted } from './describe-completed.ts'
import { escapeHtml } from './escape-html.ts'
import type { MeanInterval } from './mean-interval.ts'
import type { PolicyRun, PolicySummary, RunReport, SourceRun } from './run-report.ts'
import { shareOfBound } from './share-of-bound.ts'
import { threeDigits } from './three-digits.ts'

interface Column {
  readonly title: string
  readonly isName?: boolean
}

const SOURCE_COLUMNS: readonly Column[] = [
  { title: 'policy', isName: true },
  { title: 'results/s' },
  { title: '% of bound' },
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

/** The numbers of one run per policy, that which the figures show; and means over seeds where there are several. */
export const htmlTables = (report: RunReport, shown: readonly PolicyRun[]): string => {
  const numbers = table(
    SOURCE_COLUMNS,
    shown.flatMap(run => rowsOf(run, report))
  )
  const { summary } = report
  if (summary === undefined) return numbers
  return `${numbers}
<h2>Means over seeds, with 95 % intervals</h2>
${table(SUMMARY_COLUMNS, summary.flatMap(summaryRows))}`
}

/** Cells are HTML. A row with fewer cells than columns: its last one takes the rest. */
const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const kind = (i: number): string => (columns[i]!.isName === true ? ' class="name"' : '')
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const rest = columns.length - i
        const isShort = i === row.length - 1 && rest > 1
        return isShort ? `<td class="name" colspan="${rest}">${cell}</td>` : `<td${kind(i)}>${cell}</td>`
      })
      .join('')
  return `<div class="wide"><table><thead><tr>${columns.map(({ title }, i) => `<th scope="col"${kind(i)}>${title}</th>`).join('')}</tr></thead>
<tbody>
${rows.map(row => `<tr>${cells(row)}</tr>`).join('\n')}
</tbody></table></div>`
}

const rowsOf = (run: PolicyRun, report: RunReport): string[][] => {
  const { policy, throughput, sources, because } = run
  if (because !== undefined && sources.every(({ completed }) => completed === 0))
    return [[escapeHtml(policy), `cannot run: ${escapeHtml(because)}`]]
  const bound = comparableBound(report)
  const share = bound === null ? '–' : `${Math.floor(100 * shareOfBound(run, bound))}`
  const rows = sources.map((source, i) => [
    ...(i === 0 ? [escapeHtml(policy), threeDigits(throughput), share] : ['', '', '']),
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

const interval = ({ mean, ci95 }: MeanInterval): string => `${threeDigits(mean)} ± ${threeDigits(ci95)}`
