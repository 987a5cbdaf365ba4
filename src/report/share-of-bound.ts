import type { BoundReport, PolicyRun } from './run-report.ts'

/**
 * How much of the bound a run reached: that of the source that stayed furthest below its rate there. Never above 1,
 * whatever the mix of sources that ran; the sum of all results per second can exceed the bound's where the mix differs.
 */
export const shareOfBound = ({ sources }: Pick<PolicyRun, 'sources'>, { rates }: Pick<BoundReport, 'rates'>): number =>
  sources.reduce((least, { name, rate }) => {
    const most = rates[name]
    return most === undefined || most <= 0 ? least : Math.min(least, rate / most)
  }, Number.POSITIVE_INFINITY)
