import { z } from 'zod'
import { checkedOptions } from '../core/checked-options.ts'
import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import type { PolicyRun, RunReport } from '../report/run-report.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { policyOf } from '../scheduler/policy-of.ts'
import { modelProfiles } from './model-profiles.ts'
import { planScenario } from './planned-scenario.ts'
import { policyPlacement } from './policy-placement.ts'
import { refuseTooLong } from './refuse-too-long.ts'
import type { ScenarioObject } from './scenario-object.ts'
import { scenarioOf } from './scenario-of.ts'
import { scenarioReport } from './scenario-report.ts'
import { simulatePolicy } from './simulate-policy.ts'

const MOST_SEEDS = 100_000

/** A policy of the program's own, and what it is called in the report. */
export interface OwnPolicy {
  /** What the report calls it. */
  readonly name: string
  /** Called once for each device of each run. */
  readonly create: CreatePolicy
}

/** Which policies are simulated, how often, and how. */
export interface SimulateOptions {
  /** By name, or your own; each is run. @default the one in the scenario */
  readonly policies?: 'all' | readonly (PolicyName | OwnPolicy)[]
  /** Of random arrivals: the same seed gives the same run. @default 1 */
  readonly seed?: number
  /** So many seeds, from `seed` on; with several the report has means with 95 % intervals. @default 1 */
  readonly seeds?: number
  /** False: costs, link rates and placement stay as they are at the start, whatever happens. @default true */
  readonly adapts?: boolean
  /** Hears what takes long: models that are measured. @default nobody */
  readonly say?: (text: string) => void
}

/**
 * Simulate a network under scheduling policies, the very ones that running devices use. Blocks are placed by the planner.
 * @returns the same as `tributary simulate --json`
 * @throws UserError `badScenario` (`field`, `problems`), `unknownPolicy` (`policy`), `badPolicy`, `badOption` (`option`), `badModel` (`model`, `file`)
 */
export const simulate = async (written: ScenarioObject, options: SimulateOptions = {}): Promise<RunReport> => {
  const { policies: wanted, seed, seeds, adapts, say } = checkedOptions(schema, options, 'simulate')
  const scenario = scenarioOf(written)
  const policies = (wanted === 'all' ? POLICY_NAMES : (wanted ?? [scenario.policy as PolicyName])).map(chosen)
  const profiles = await modelProfiles(scenario, say)
  const { problem, outcome, place, atStart } = await planScenario(scenario, profiles)
  refuseTooLong(scenario, { problem, outcome }, 'scenario')
  const runs: PolicyRun[] = []
  for (const { name: policy, create: createPolicy } of policies) {
    const table = policyPlacement(problem, outcome, createPolicy ?? (policy as PolicyName))
    for (let i = 0; i < seeds; i++) {
      const parts = { scenario, profiles, policy, seed: seed + i, table, adapts, place }
      runs.push(simulatePolicy({ ...parts, ...(createPolicy === undefined ? {} : { createPolicy }) }).run)
    }
  }
  return scenarioReport(scenario, atStart.problem, atStart.outcome, runs)
}

type Chosen = { readonly name: string; readonly create?: CreatePolicy }

/** What is wrong with a policy of the program's own is said when one is made. */
const chosen = (policy: PolicyName | OwnPolicy): Chosen => {
  if (typeof policy !== 'string') return { name: policy.name, create: policyOf(policy.create) }
  if (isPolicyName(policy)) return { name: policy }
  const near = nearest(policy, POLICY_NAMES)
  throw new UserError(
    `"${policy}" is not a policy${near === undefined ? '' : `, did you mean ${near}?`} (known: ${POLICY_NAMES.join(', ')})`,
    { code: 'unknownPolicy', facts: { policy } }
  )
}

const isFunction = (value: unknown): boolean => typeof value === 'function'
const own = z.strictObject({
  name: z.string().min(1).max(64),
  create: z.custom<CreatePolicy>(isFunction, 'must be a function that creates a policy')
})
const schema = z.strictObject({
  policies: z
    .union([z.literal('all'), z.array(z.union([z.string().transform(text => text as PolicyName), own])).min(1)], {
      error: 'must be "all", or a list of names and of { name, create }'
    })
    .optional(),
  seed: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER - MOST_SEEDS)
    .default(1),
  seeds: z.int().min(1).max(MOST_SEEDS).default(1),
  adapts: z.boolean().default(true),
  say: z.custom<(text: string) => void>(isFunction, 'must be a function').default(() => () => {})
})
