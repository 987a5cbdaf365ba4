import type { Scenario } from '../core/scenario.ts'
import { UserError } from '../core/user-error.ts'
import type { CapacityProblem } from '../planner/capacity-problem.ts'
import { type PlanOutcome, unloadedTimes } from '../planner/plan.ts'
import { whereItFits } from './bound-report.ts'
import { expectedDuration } from './expected-duration.ts'

/** Seconds, four months: devices tell each other news every second, and each of these is simulated. */
const LONGEST = 1e7

/** @throws UserError where a run would last longer, in simulated time, than anybody waits for */
export const refuseTooLong = (
  scenario: Scenario,
  { problem, outcome }: { readonly problem: CapacityProblem; readonly outcome: PlanOutcome },
  file: string
): void => {
  const lags = unloadedTimes(problem, whereItFits(problem)).filter(time => !Number.isNaN(time))
  const lag = lags.reduce((most, time) => Math.max(most, time), 0)
  const least = expectedDuration(scenario, outcome) + lag
  if (least <= LONGEST) return
  throw new UserError(
    `${file}: a run would last ${least.toPrecision(2)} simulated seconds or more, and ${LONGEST} can be simulated; give less work, faster devices or links, or fewer data`,
    { code: 'badScenario', facts: { seconds: least, limit: LONGEST } }
  )
}
