import { type Allowance, UNLIMITED } from '../planner/allowance.ts'
import type { CapacityProblem, Carries } from '../planner/capacity-problem.ts'
import { unloadedTimes } from '../planner/plan.ts'
import type { BoundReport } from '../report/run-report.ts'

/** A bound as it is printed: by the names of the sources. Latencies for which there was no time are NaN. */
export const boundReport = (
  problem: CapacityProblem,
  scale: number,
  carries: Carries,
  time: Allowance = UNLIMITED
): BoundReport => {
  const latency = unloadedTimes(problem, carries, time)
  const byName = (value: (s: number) => number): Record<string, number> =>
    Object.fromEntries(problem.sources.map(({ name }, s) => [name, value(s)]))
  return { scale, rates: byName(s => scale * problem.sources[s]!.demand), latency: byName(s => latency[s]!) }
}

/** What a device could carry, alone: no placement puts a block elsewhere. */
export const whereItFits =
  ({ devices, models }: CapacityProblem): Carries =>
  (n, m, k) =>
    models[m]!.weights[k]! <= devices[n]!.memory
