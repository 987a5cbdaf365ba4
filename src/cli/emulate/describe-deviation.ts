import type { PolicyRun } from '../../report/run-report.ts'
import { textTable } from '../../report/text-table.ts'
import { describeTime } from '../scenario/describe-time.ts'

/** Emulated and simulated side by side, with how far they are apart. */
export const describeDeviation = (emulated: readonly PolicyRun[], simulated: readonly PolicyRun[]): string => {
  const rows = emulated.flatMap((run, i) => {
    const other = simulated[i]!
    const rate = (r: PolicyRun): string => `${r.throughput.toPrecision(3)}/s`
    return [
      [run.policy, 'throughput', rate(run), rate(other), deviation(run.throughput, other.throughput)],
      ...run.sources.flatMap(({ name, inferenceTime }, s) => {
        const simulatedTime = other.sources[s]!.inferenceTime
        return (['mean', 'p95'] as const).map(what => [
          '',
          `${name}, ${what === 'mean' ? 'mean time' : '95 % within'}`,
          describeTime(inferenceTime[what]),
          describeTime(simulatedTime[what]),
          deviation(inferenceTime[what], simulatedTime[what])
        ])
      })
    ]
  })
  return textTable(
    ['policy', 'what', 'emulated', 'simulated', 'emulated is'].map((title, i) => ({
      title,
      align: i < 2 ? 'left' : 'right'
    })),
    rows
  )
}

const deviation = (a: number, b: number): string => {
  const share = a / b - 1
  if (!Number.isFinite(share)) return '-'
  return `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
}
