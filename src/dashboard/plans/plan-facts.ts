import type { Outlook } from '../../planner/outlook.ts'
import type { PlacementRecord } from '../../runtime/device/plan-desk.ts'
import type { ActionFacts } from '../actions/dashboard-actions.ts'

/** What GET /api/plan answers. */
export interface PlanFacts {
  /** Placements, the latest first. */
  readonly history: readonly PlacementRecord[]
  /** Bytes of each model's blocks. */
  readonly blocks: Readonly<Record<string, readonly number[]>>
  /** Of the cluster as it is; null until it is computed. */
  readonly outlook: Outlook | null
  /** Why there is none, or none of the cluster as it is now; '' where there is. */
  readonly because: string
  /** Seconds since it was computed. */
  readonly age: number
  readonly actions: ActionFacts
}
