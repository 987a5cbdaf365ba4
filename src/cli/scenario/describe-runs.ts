import { formatSeconds } from '../../core/format-quantity.ts'
import type { MeanInterval } from '../../report/mean-interval.ts'
import type { PolicyRun, PolicySummary, RunReport } from '../../report/run-report.ts'
import { textTable } from '../../report/text-table.ts'

/** Tables for people: per policy and source; the busiest devices; why a policy could not. */
export const describeRuns = ({ scenario, runs, bound, boundWithMemory, summary }: RunReport): string => {
  const best = boundWithMemory ?? bound
  const total = best === null ? undefined : Object.values(best.rates).reduce((a, b) => a + b, 0)
  const emulated = runs.some(run => run.emulated)
  const rows = summary === undefined ? runs.flatMap(run => rowsOf(run)) : summary.flatMap(rowsOfSummary)
  const failures = runs.filter(run => run.because !== undefined)
  return [
    `${scenario}${emulated ? ' (emulated: real processes, emulated speeds and links)' : ''}`,
    '',
    textTable(
      ['policy', 'throughput', 'source', 'completed', 'mean time', 'p95', 'p99'].map((title, i) => ({
        title,
        align: i === 0 || i === 2 ? 'left' : 'right'
      })),
      rows
    ),
    '',
    ...(total === undefined ? [] : [`no policy can serve more than ${rate(total)} in the long run`]),
    ...(summary === undefined ? runs.map(busyLine) : []),
    ...new Set(failures.map(({ policy, because }) => `${policy}: ${because}`))
  ].join('\n')
}

const rate = (perSecond: number): string => `${perSecond.toPrecision(3)}/s`
const time = (value: number): string => (Number.isNaN(value) ? '-' : formatSeconds(value))

const rowsOf = ({ policy, throughput, sources, because }: PolicyRun): string[][] =>
  sources.map(({ name, admitted, completed, inferenceTime }, s) => [
    s === 0 ? policy : '',
    s > 0 ? '' : because !== undefined && completed === 0 ? 'cannot run' : rate(throughput),
    name,
    completed === admitted ? String(completed) : `${completed} of ${admitted}`,
    time(inferenceTime.mean),
    time(inferenceTime.p95),
    time(inferenceTime.p99)
  ])

const rowsOfSummary = ({ policy, seeds, throughput, sources }: PolicySummary): string[][] => {
  const interval = ({ mean, ci95 }: MeanInterval, show: (n: number) => string): string =>
    `${show(mean)} ± ${show(ci95)}`
  return sources.map(({ name, inferenceTime }, s) => [
    s === 0 ? policy : '',
    s === 0 ? interval(throughput, rate) : '',
    name,
    `${seeds} seeds`,
    interval(inferenceTime.mean, time),
    interval(inferenceTime.p95, time),
    ''
  ])
}

const busyLine = ({ policy, devices, links }: PolicyRun): string => {
  const share = (busy: number): string => `${(100 * busy).toFixed(0)} %`
  const busiest = links.toSorted((a, b) => b.busy - a.busy)[0]
  const link =
    busiest === undefined || busiest.bytes === 0
      ? ''
      : `; busiest link ${busiest.from}->${busiest.to} ${share(busiest.busy)}`
  const shown = devices.slice(0, 8).map(({ name, busy }) => `${name} ${share(busy)}`)
  return `${policy}: busy ${shown.join(', ')}${devices.length > 8 ? ', …' : ''}${link}`
}
