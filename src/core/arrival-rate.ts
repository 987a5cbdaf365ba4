import type { Arrivals } from './scenario.ts'

/** Data per second on average; undefined for a source that always has the next datum ready. */
export const arrivalRate = (arrivals: Arrivals): number | undefined => {
  if (arrivals.kind === 'poisson') return arrivals.rate
  return arrivals.kind === 'every' ? 1 / arrivals.interval : undefined
}
