import type { BoundReport } from '../report/run-report.ts'
import type { DemandReport } from './demand-report.ts'

/** What `plan --json` prints. */
export interface PlanReport {
  readonly scenario: string
  readonly status: 'optimal' | 'timeLimit' | 'infeasible'
  /** Nothing serves more, memory aside. */
  readonly bound: BoundReport | null
  /** No placement that fits serves more. */
  readonly boundWithMemory: BoundReport | null
  readonly placement: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
  readonly predicted: BoundReport | null
  readonly gap: number | null
  readonly because: string
  /** The time limit ended the search: what is said holds, but another run may find another plan. */
  readonly cutOff: boolean
  /** Of sources that say how many data they have. */
  readonly demands: readonly DemandReport[]
}
