import { formatBytes } from '../../core/format-quantity.ts'
import { comparableBound } from '../../report/comparable-bound.ts'
import { describeCompleted } from '../../report/describe-completed.ts'
import { foldText } from '../../report/fold-text.ts'
import type { MeanInterval } from '../../report/mean-interval.ts'
import type { BoundReport, PolicyRun, PolicySummary, RunReport } from '../../report/run-report.ts'
import { shareOfBound } from '../../report/share-of-bound.ts'
import { textTable } from '../../report/text-table.ts'
import { describeTime } from './describe-time.ts'

const COLUMNS = ['policy', 'through-\nput', 'of\nbound', 'source', 'completed', 'mean\ntime', 'p95', 'p99'].map(
  (title, i) => ({ title, align: i === 0 || i === 3 ? ('left' as const) : ('right' as const) })
)

/** Tables for people: per policy and source; the busiest devices; why a policy could not. */
export const describeRuns = (report: RunReport): string => {
  const { scenario, runs, bound, boundWithMemory, summary } = report
  const best = boundWithMemory ?? bound
  const emulated = runs.some(run => run.emulated)
  const comparable = comparableBound(report)
  const rows = summary === undefined ? runs.flatMap(run => rowsOf(run, comparable)) : summary.flatMap(rowsOfSummary)
  const isShown = (column: number): boolean => rows.some(row => row[column] !== '')
  const failures = runs.filter(run => run.because !== undefined)
  return [
    `${scenario}${emulated ? ' (emulated: real processes, emulated speeds and links)' : ''}`,
    '',
    textTable(
      COLUMNS.filter((_, i) => isShown(i)),
      rows.map(row => row.filter((_, i) => isShown(i)))
    ),
    '',
    ...(best === null ? [] : [foldText(boundLine(best))]),
    ...(summary === undefined ? runs.map(run => foldText(busyLine(run), '  ')) : []),
    ...new Set(failures.map(({ policy, because }) => foldText(`${policy}: ${because}`, '  ')))
  ].join('\n')
}

const rate = (perSecond: number): string => `${perSecond.toPrecision(3)}/s`

const boundLine = ({ rates }: BoundReport): string => {
  const each = Object.entries(rates).map(([source, most]) => `${source} ${rate(most)}`)
  return `no policy can serve all sources at more than these rates together, in the network as it is at the start: ${each.slice(0, 6).join(', ')}${each.length > 6 ? ', …' : ''}`
}

/** Not of what did not come home; without a bound that says something, nothing. */
const ofBound = (run: PolicyRun, bound: BoundReport | null): string =>
  bound === null || run.because !== undefined ? '' : `${(100 * shareOfBound(run, bound)).toFixed(0)} %`

const rowsOf = (run: PolicyRun, bound: BoundReport | null): string[][] => {
  const { policy, throughput, sources, because } = run
  return sources.map((source, s) => [
    s === 0 ? policy : '',
    s > 0 ? '' : because !== undefined && source.completed === 0 ? 'cannot run' : rate(throughput),
    s === 0 ? ofBound(run, bound) : '',
    source.name,
    describeCompleted(source),
    describeTime(source.inferenceTime.mean),
    describeTime(source.inferenceTime.p95),
    describeTime(source.inferenceTime.p99)
  ])
}

const rowsOfSummary = ({ policy, seeds, failed = 0, throughput, sources }: PolicySummary): string[][] => {
  const interval = ({ mean, ci95 }: MeanInterval, show: (n: number) => string): string =>
    `${show(mean)}\n± ${show(ci95)}`
  // A mean over runs that did not finish is none.
  if (failed > 0) {
    const what = failed === seeds ? 'cannot run' : `did not finish\nwith ${failed} of ${seeds} seeds`
    return sources.map(({ name }, s) => [s === 0 ? policy : '', s === 0 ? what : '', '', name, '-', '-', '-', ''])
  }
  return sources.map(({ name, inferenceTime }, s) => [
    s === 0 ? policy : '',
    s === 0 ? interval(throughput, rate) : '',
    '',
    name,
    `${seeds} seeds`,
    interval(inferenceTime.mean, describeTime),
    interval(inferenceTime.p95, describeTime),
    ''
  ])
}

const busyLine = ({ policy, devices, links, media = [], weightsMoved = 0 }: PolicyRun): string => {
  const share = (busy: number): string => `${(100 * busy).toFixed(0)} %`
  const busiest = links.toSorted((a, b) => b.busy - a.busy)[0]
  const link =
    busiest === undefined || busiest.bytes === 0
      ? ''
      : `; busiest link ${busiest.from}->${busiest.to} ${share(busiest.busy)}`
  const air = media.map(medium => `; medium of ${named(medium.devices)} ${share(medium.busy)}`).join('')
  const shown = devices.slice(0, 8).map(({ name, busy }) => `${name} ${share(busy)}`)
  const moved = weightsMoved === 0 ? '' : `; ${formatBytes(weightsMoved)} of weights moved`
  return `${policy}: busy ${shown.join(', ')}${devices.length > 8 ? ', …' : ''}${link}${air}${moved}`
}

const named = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
