import type { ModelProfile } from '../core/model-profile.ts'
import { createRng } from '../core/rng.ts'
import type { Scenario } from '../core/scenario.ts'
import { scenarioAtStart } from '../core/scenario-at-start.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import { type PlanOutcome, plan } from '../planner/plan.ts'
import { plannedPlacement } from '../planner/planned-placement.ts'
import { problemOfScenario } from '../planner/problem-of-scenario.ts'
import { loadMipSolver, loadSolver } from '../runtime/highs.ts'
import { systemClock } from '../runtime/system-clock.ts'

export interface PlannedScenario {
  /** Places anew in mid-run, as a running cluster's planner does. */
  readonly place: (problem: PlacementProblem) => Placement
  readonly problem: CapacityProblem
  readonly outcome: PlanOutcome
  /** Of the network as it is at the start: without devices that join later, which blocks are placed on all the same. */
  readonly atStart: { readonly problem: CapacityProblem; readonly outcome: PlanOutcome }
}

export const DEFAULT_TIME_LIMIT: Seconds = seconds(10)

/** Plan a scenario: the same scenario and seed give the same plan, unless the time limit ends the search. */
export const planScenario = async (
  scenario: Scenario,
  profiles: readonly ModelProfile[],
  timeLimit: Seconds = DEFAULT_TIME_LIMIT
): Promise<PlannedScenario> => {
  const problem = problemOfScenario(scenario, profiles)
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  const partsOf = () => ({ solve, solveMip, rng: createRng('plan'), now: () => systemClock.now(), timeLimit })
  const outcome = plan(problem, partsOf())
  const first = scenarioAtStart(scenario)
  const problemAtStart = problemOfScenario(first, profiles)
  const isWhole = first.devices.length === scenario.devices.length
  return {
    problem,
    outcome,
    atStart: isWhole ? { problem, outcome } : { problem: problemAtStart, outcome: plan(problemAtStart, partsOf()) },
    place: anew => plannedPlacement(anew, partsOf()).placement
  }
}
