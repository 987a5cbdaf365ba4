import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import type { PolicyRun, RunReport } from '../report/run-report.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { modelProfiles } from './model-profiles.ts'
import { planScenario } from './planned-scenario.ts'
import { policyPlacement } from './policy-placement.ts'
import { refuseTooLong } from './refuse-too-long.ts'
import type { ScenarioObject } from './scenario-object.ts'
import { scenarioOf } from './scenario-of.ts'
import { scenarioReport } from './scenario-report.ts'
import { simulatePolicy } from './simulate-policy.ts'

/** A policy of the program's own, and what it is called in the report. */
export interface OwnPolicy {
  readonly name: string
  readonly create: CreatePolicy
}

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
 * @throws UserError `badScenario`, `unknownPolicy`, `badOption`
 */
export const simulate = async (written: ScenarioObject, options: SimulateOptions = {}): Promise<RunReport> => {
  const { seed = 1, seeds = 1, adapts = true, say = () => {} } = options
  requireCount('seed', seed, 0)
  requireCount('seeds', seeds, 1)
  const scenario = scenarioOf(written)
  const policies = policiesOf(options.policies ?? [scenario.policy])
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

const policiesOf = (wanted: 'all' | readonly (string | OwnPolicy)[]): readonly Chosen[] => {
  if (wanted === 'all') return POLICY_NAMES.map(name => ({ name }))
  return wanted.map(policy => {
    if (typeof policy !== 'string') return policy
    if (isPolicyName(policy)) return { name: policy }
    const near = nearest(policy, POLICY_NAMES)
    throw new UserError(
      `"${policy}" is not a policy${near === undefined ? '' : `, did you mean ${near}?`} (known: ${POLICY_NAMES.join(', ')})`,
      { code: 'unknownPolicy', facts: { policy } }
    )
  })
}

const requireCount = (option: string, value: number, least: number): void => {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new UserError(`simulate: ${option}: must be a whole number from ${least}, not ${value}`, {
    code: 'badOption',
    facts: { option }
  })
}
