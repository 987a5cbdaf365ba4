/**
 * What a network can serve at most, and where its models' blocks should be.
 *
 * @module
 */
export { NoAnswerError, TributaryError, UserError } from './core/user-error.ts'
export type { BoundReport } from './report/run-report.ts'
export type { DemandReport } from './studies/demand-report.ts'
export { type PlanOptions, plan } from './studies/plan-object.ts'
export type { PlanReport } from './studies/plan-report.ts'
export type * from './studies/scenario-object.ts'
