import type { DeviceId } from '../core/ids.ts'
import type { PlacementOutcome } from '../planner/placement.ts'

/** A placement as the cluster numbers it: who planned it, and which came after which. */
export interface NumberedPlacement extends PlacementOutcome {
  /** Its term and its number within that, as one number that grows: see core/epoch.ts. */
  readonly epoch: number
  readonly planner: DeviceId
}
