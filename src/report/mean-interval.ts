/** Mean and half the width of its 95 % interval. */
export interface MeanInterval {
  readonly mean: number
  /** NaN for fewer than two values. */
  readonly ci95: number
}

/** Two-sided 97.5 % points of Student's t for 1, 2, 3 … degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042
]

/** Student's interval for the mean of independent runs; NaN among the values is left out. */
export const meanInterval = (values: readonly number[]): MeanInterval => {
  const known = values.filter(value => !Number.isNaN(value))
  const n = known.length
  const mean = n === 0 ? Number.NaN : known.reduce((a, b) => a + b, 0) / n
  if (n < 2) return { mean, ci95: Number.NaN }
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  return { mean, ci95: (T[n - 2] ?? 1.96) * Math.sqrt(variance / n) }
}
