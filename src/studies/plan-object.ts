import { z } from 'zod'
import { checkedOptions } from '../core/checked-options.ts'
import { scenarioAtStart } from '../core/scenario-at-start.ts'
import { seconds } from '../core/units.ts'
import { modelProfiles } from './model-profiles.ts'
import type { PlanReport } from './plan-report.ts'
import { DEFAULT_TIME_LIMIT } from './planned-scenario.ts'
import { reportPlan } from './report-plan.ts'
import type { ScenarioObject } from './scenario-object.ts'
import { scenarioOf } from './scenario-of.ts'

/** How long the planner may search. */
export interface PlanOptions {
  /** Seconds for the search. @default 10 */
  readonly timeLimit?: number
  /** Hears what takes long: models that are measured. @default nobody */
  readonly say?: (text: string) => void
}

const schema = z.strictObject({
  timeLimit: z.number().min(1e-3).max(1e6).default(DEFAULT_TIME_LIMIT),
  say: z
    .custom<(text: string) => void>(value => typeof value === 'function', 'must be a function')
    .default(() => () => {})
})

/**
 * What is the most that a network can serve, where should which blocks be for it, and what limits it? Of the network as it is at
 * the start; models given as files are measured on this machine.
 * @returns the same as `tributary plan --json`: `status: 'infeasible'` is an answer
 * @throws UserError `badScenario` (`field`, `problems`), `badOption` (`option`), `badModel` (`model`, `file`)
 */
export const plan = async (scenario: ScenarioObject, options: PlanOptions = {}): Promise<PlanReport> => {
  const { timeLimit, say } = checkedOptions(schema, options, 'plan')
  const parsed = scenarioAtStart(scenarioOf(scenario))
  const { report } = await reportPlan(parsed, await modelProfiles(parsed, say), seconds(timeLimit))
  return report
}
