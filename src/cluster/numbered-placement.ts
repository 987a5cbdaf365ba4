import type { DeviceId } from '../core/ids.ts'
import type { PlacementOutcome } from '../planner/placement.ts'

/** A placement as the cluster numbers it: who planned it, and which came after which. */
export interface NumberedPlacement extends PlacementOutcome {
  readonly epoch: number
  readonly planner: DeviceId
}

/** The larger epoch is newer; of two with one number (two planners for a moment) the smaller planner's counts. */
export const isNewer = (a: NumberedPlacement, b: NumberedPlacement | undefined): boolean =>
  b === undefined || a.epoch > b.epoch || (a.epoch === b.epoch && a.planner < b.planner)
