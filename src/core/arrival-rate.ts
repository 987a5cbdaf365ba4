import type { Arrivals } from './scenario.ts'

/**
 * Data per second on average; undefined for a source that always has the next datum ready.
 * @param limit no more are admitted: what is dropped asks for nothing
 */
export const arrivalRate = (arrivals: Arrivals, limit = Number.POSITIVE_INFINITY): number | undefined => {
  const rate = Math.min(limit, cameEvery(arrivals))
  return rate === Number.POSITIVE_INFINITY ? undefined : rate
}

const cameEvery = (arrivals: Arrivals): number => {
  if (arrivals.kind === 'poisson') return arrivals.rate
  return arrivals.kind === 'every' ? 1 / arrivals.interval : Number.POSITIVE_INFINITY
}
