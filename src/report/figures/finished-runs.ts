import type { PolicyRun, RunReport } from '../run-report.ts'

/** The first seed's run of each policy that could run, that with most results per second first: what figures show. */
export const finishedRuns = ({ runs }: RunReport): PolicyRun[] =>
  runs
    .filter((run, i) => run.because === undefined && runs.findIndex(other => other.policy === run.policy) === i)
    .sort((a, b) => b.throughput - a.throughput)
