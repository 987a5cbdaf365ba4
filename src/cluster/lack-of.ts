import type { WaitingTask } from '../scheduler/dispatch/dispatcher.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'

/** What a task that waits lacks. */
export type Lack =
  /** Its policy cannot compute it here, and says why. */
  | { readonly kind: 'policy'; readonly because: string }
  /** All its blocks are done, and its source cannot be reached. */
  | { readonly kind: 'wayHome' }
  /** Nobody who can be reached carries the block. */
  | { readonly kind: 'carrier'; readonly block: number }

/** @param blocks of its model */
export const lackOf = (because: WaitingTask<LiveTask>['because'], blocks: number): Lack => {
  if (because.kind === 'cannot') return { kind: 'policy', because: because.because }
  return because.block >= blocks ? { kind: 'wayHome' } : { kind: 'carrier', block: because.block }
}
