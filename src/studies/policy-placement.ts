import { BlockTable } from '../planner/block-table.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import { pipelinePlacement } from '../planner/pipeline-placement.ts'
import type { PlanOutcome } from '../planner/plan.ts'
import { wholePlacement } from '../planner/whole-placement.ts'
import { POLICIES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { wholeModelsOf } from '../scheduler/whole-models-of.ts'

/**
 * What each device carries under a policy: whole models for those that cannot part them, the plan for all others, or
 * pipelines where these are all that a policy can use and serve more. Where
 * there is no plan, as much as fits of each model, so that a run can say what is missing.
 */
export const policyPlacement = (
  problem: CapacityProblem,
  outcome: PlanOutcome,
  policy: PolicyName | CreatePolicy
): BlockTable => {
  const whole = wholeModelsOf(typeof policy === 'string' ? POLICIES[policy] : policy)
  if (whole !== false && whole !== 'in pipelines') return wholePlacement(problem, whole)
  if (outcome.kind === 'plan')
    return whole === 'in pipelines' ? pipelinePlacement(problem, outcome.plan.table) : outcome.plan.table
  const table = new BlockTable(problem)
  for (const n of problem.devices.keys()) {
    for (const [m, { work }] of problem.models.entries()) for (const k of work.keys()) table.put(n, m, k)
  }
  return table
}
