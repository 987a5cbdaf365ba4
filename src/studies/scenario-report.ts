import type { Scenario } from '../core/scenario.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import type { PlanOutcome } from '../planner/plan.ts'
import { meanInterval } from '../report/mean-interval.ts'
import type { PolicyRun, PolicySummary, RunReport } from '../report/run-report.ts'
import { boundReport, whereItFits } from './bound-report.ts'
import { mediaOf } from './media-of.ts'

/** The runs of a scenario beside what no policy can exceed; means over seeds where there are several. */
export const scenarioReport = (
  scenario: Scenario,
  problem: CapacityProblem,
  outcome: PlanOutcome,
  runs: readonly PolicyRun[]
): RunReport => {
  const free = outcome.kind === 'plan' ? outcome.plan.free : outcome.free
  const summary = summaries(runs)
  return {
    scenario: scenario.name,
    saturated: scenario.events.length === 0 && scenario.sources.every(({ arrivals }) => arrivals.kind === 'saturated'),
    runs: scenario.links.some(({ medium }) => medium !== undefined)
      ? runs.map(run => ({ ...run, media: mediaOf(scenario, run) }))
      : runs,
    bound: free === undefined ? null : boundReport(problem, free.upper, () => true),
    boundWithMemory: outcome.kind === 'plan' ? boundReport(problem, outcome.plan.upper, whereItFits(problem)) : null,
    ...(summary.length === 0 ? {} : { summary })
  }
}

const summaries = (runs: readonly PolicyRun[]): PolicySummary[] => {
  const policies = [...new Set(runs.map(run => run.policy))]
  return policies.flatMap(policy => {
    const own = runs.filter(run => run.policy === policy)
    if (own.length < 2) return []
    const failed = own.filter(run => run.because !== undefined).length
    return [
      {
        policy,
        seeds: own.length,
        ...(failed === 0 ? {} : { failed }),
        throughput: meanInterval(own.map(run => run.throughput)),
        makespan: meanInterval(own.map(run => run.makespan)),
        sources: own[0]!.sources.map(({ name }, s) => ({
          name,
          inferenceTime: {
            mean: meanInterval(own.map(run => run.sources[s]!.inferenceTime.mean)),
            p95: meanInterval(own.map(run => run.sources[s]!.inferenceTime.p95))
          }
        }))
      }
    ]
  })
}
