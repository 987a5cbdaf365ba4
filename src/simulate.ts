/**
 * A network under scheduling policies, simulated: the policies that running devices use, and your own.
 *
 * @module
 */
export { NoAnswerError, TributaryError, UserError } from './core/user-error.ts'
export type { BoundReport, DeviceRun, LinkRun, PolicyRun, RunReport, SourceRun } from './report/run-report.ts'
export { POLICY_NAMES as policyNames, type PolicyName } from './scheduler/policies.ts'
export type { CreatePolicy, Decision, Policy, PolicyHost, Report, TaskState } from './scheduler/policy.ts'
export type * from './studies/scenario-object.ts'
export { type OwnPolicy, type SimulateOptions, simulate } from './studies/simulate-object.ts'
