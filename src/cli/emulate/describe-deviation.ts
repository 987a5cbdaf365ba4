import { formatSeconds } from '../../core/format-quantity.ts'
import type { PolicyRun } from '../../report/run-report.ts'
import { textTable } from '../../report/text-table.ts'

/** Emulated and simulated side by side, with how far they are apart. */
export const describeDeviation = (emulated: readonly PolicyRun[], simulated: readonly PolicyRun[]): string => {
  const rows = emulated.flatMap((run, i) => {
    const other = simulated[i]!
    const rate = (r: PolicyRun): string => `${r.throughput.toPrecision(3)}/s`
    return [
      [run.policy, 'throughput', rate(run), rate(other), deviation(run.throughput, other.throughput)],
      ...run.sources.map(({ name, inferenceTime }, s) => {
        const { mean } = other.sources[s]!.inferenceTime
        return [
          '',
          `${name}, mean time`,
          formatSeconds(inferenceTime.mean),
          formatSeconds(mean),
          deviation(inferenceTime.mean, mean)
        ]
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
  return `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
}
