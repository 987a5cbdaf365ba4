export const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Of positive values: the mean for ratios. */
export const geometric = (values: readonly number[]): number => Math.exp(average(values.map(Math.log)))
