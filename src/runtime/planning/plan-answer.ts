import type { Outlook } from '../../planner/outlook.ts'
import type { PlacementOutcome } from '../../planner/placement.ts'

/** What the planner's process says, once. */
export type PlanAnswer =
  | { readonly kind: 'planned'; readonly outcome: PlacementOutcome }
  | { readonly kind: 'outlook'; readonly outlook: Outlook }
  | { readonly kind: 'failed'; readonly because: string }
