import type { BoundReport } from '../report/run-report.ts'
import type { DemandReport } from './demand-report.ts'

/** What `plan --json` prints. */
export interface PlanReport {
  readonly scenario: string
  /** `timeLimit`: a plan, but perhaps not the best; `infeasible`: there is none, and `because` says why. */
  readonly status: 'optimal' | 'timeLimit' | 'infeasible'
  /** Nothing serves more, memory aside. */
  readonly bound: BoundReport | null
  /** No placement that fits serves more. */
  readonly boundWithMemory: BoundReport | null
  /** By device and model: the numbers of the blocks that it carries, from 0. */
  readonly placement: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
  /** What the placement can serve; null where there is none. */
  readonly predicted: BoundReport | null
  /** How far the placement can be from the best one, as a fraction of the bound; null where there is none. */
  readonly gap: number | null
  /** Why there is no plan; '' where there is one. */
  readonly because: string
  /** The time limit ended the search: what is said holds, but another run may find another plan. */
  readonly cutOff: boolean
  /** Of sources that say how many data they have. */
  readonly demands: readonly DemandReport[]
}
