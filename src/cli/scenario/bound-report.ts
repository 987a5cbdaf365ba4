import type { CapacityProblem, Carries } from '../../planner/capacity-problem.ts'
import { unloadedTimes } from '../../planner/plan.ts'
import type { BoundReport } from '../../report/run-report.ts'

/** A bound as it is printed: by the names of the sources. */
export const boundReport = (problem: CapacityProblem, scale: number, carries: Carries): BoundReport => {
  const latency = unloadedTimes(problem, carries)
  const byName = (value: (s: number) => number): Record<string, number> =>
    Object.fromEntries(problem.sources.map(({ name }, s) => [name, value(s)]))
  return { scale, rates: byName(s => scale * problem.sources[s]!.demand), latency: byName(s => latency[s]!) }
}
