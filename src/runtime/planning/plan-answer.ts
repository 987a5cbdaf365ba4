import type { PlacementOutcome } from '../../planner/placement.ts'

/** What the planner's process says, once. */
export type PlanAnswer =
  | { readonly kind: 'planned'; readonly outcome: PlacementOutcome }
  | { readonly kind: 'failed'; readonly because: string }
