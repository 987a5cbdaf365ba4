/** Seconds. All are NaN (null in JSON) where nothing was measured: no value is better than a made-up one. */
export interface TimeSummary {
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Mean and percentiles by nearest rank: each percentile is one of the values. */
export const timeSummary = (times: readonly number[]): TimeSummary => {
  const sorted = Float64Array.from(times).sort()
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  const mean = sorted.length === 0 ? Number.NaN : sorted.reduce((a, b) => a + b, 0) / sorted.length
  return { mean, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
