import type { ModelProfile } from '../core/model-profile.ts'
import type { Scenario } from '../core/scenario.ts'
import type { Seconds } from '../core/units.ts'
import { type Allowance, TimeLimit } from '../planner/allowance.ts'
import type { BlockTable } from '../planner/block-table.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import { type Explanation, explainPlan } from '../planner/explain-plan.ts'
import type { Plan, PlanOutcome } from '../planner/plan.ts'
import { loadSolver } from '../runtime/highs.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { boundReport, whereItFits } from './bound-report.ts'
import { demandReports } from './demand-report.ts'
import type { PlanReport } from './plan-report.ts'
import { planScenario } from './planned-scenario.ts'

export interface ReportedPlan {
  readonly report: PlanReport
  /** What the report was made of; undefined where there is no plan. */
  readonly found:
    | { readonly problem: CapacityProblem; readonly plan: Plan; readonly explanation: Explanation }
    | undefined
}

/** Seconds beyond the limit for times and comparisons; what is not known by then is left out. */
const GRACE = 0.5

/** Bounds, placement and what limits it, of a scenario's network as it is at the start. */
export const reportPlan = async (
  scenario: Scenario,
  profiles: readonly ModelProfile[],
  timeLimit: Seconds
): Promise<ReportedPlan> => {
  const time = new TimeLimit(timeLimit, () => systemClock.now()).within(1, GRACE)
  const { problem, outcome } = await planScenario(scenario, profiles, timeLimit)
  if (outcome.kind === 'infeasible') return { report: withoutPlan(scenario, problem, outcome, time), found: undefined }
  const { plan } = outcome
  const explanation = explainPlan(problem, plan, await loadSolver(), time)
  const predicted = boundReport(problem, plan.predicted.scale, plan.table.carries, time)
  const boundWithMemory = boundReport(problem, plan.upper, whereItFits(problem), time)
  const report: PlanReport = {
    scenario: scenario.name,
    status: plan.status,
    bound: boundReport(problem, plan.free.upper, () => true, time),
    boundWithMemory,
    placement: placementOf(problem, plan.table),
    predicted,
    gap: plan.gap,
    because: [`bottleneck: ${explanation.bottleneck}`, ...explanation.gains, explanation.pays].join('; '),
    cutOff: plan.isCutOff,
    demands: demandReports(scenario, predicted, boundWithMemory, explanation.bottleneck)
  }
  return { report, found: { problem, plan, explanation } }
}

const withoutPlan = (
  scenario: Scenario,
  problem: CapacityProblem,
  { free, isProven, because }: Extract<PlanOutcome, { kind: 'infeasible' }>,
  time: Allowance
): PlanReport => ({
  scenario: scenario.name,
  status: isProven ? 'infeasible' : 'timeLimit',
  bound: free === undefined ? null : boundReport(problem, free.upper, () => true, time),
  boundWithMemory: null,
  placement: {},
  predicted: null,
  gap: null,
  because,
  cutOff: !isProven,
  demands: []
})

const placementOf = (problem: CapacityProblem, table: BlockTable): PlanReport['placement'] =>
  Object.fromEntries(
    problem.devices.map(({ name }, n) => [
      name,
      Object.fromEntries(
        problem.models.flatMap((model, m) => {
          const blocks = [...model.work.keys()].filter(k => table.carries(n, m, k))
          return blocks.length === 0 ? [] : [[model.name, blocks] as const]
        })
      )
    ])
  )
