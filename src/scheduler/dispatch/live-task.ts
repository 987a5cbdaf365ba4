import type { Seconds } from '../../core/units.ts'
import type { Step, TaskState } from '../policy.ts'

/**
 * A datum on this device. It moves from queue to queue and grows blocks. A driver extends it with what it carries:
 * tensors in the running device, nothing in the simulator.
 */
export interface LiveTask extends TaskState {
  /** Counts the dispatches from the source: a datum that was sent out again is another task. */
  readonly attempt: number
  lag: Seconds
  /** Since its source sent it, blocks ran and activations travelled for so long; the rest it waited. */
  served: Seconds
  done: number
  arrivedAt: Seconds
  /** Its place in the order of arrival at this device; the dispatcher gives it. */
  turn: number
  /** What its policy has already decided. */
  route: readonly Step[]
  /** The route was chosen by its source and not by the policy, which is not to choose another while it can be followed. */
  keepsRoute?: boolean
  /** At home with so many blocks done it is delivered, though others are left. @default all */
  until?: number | undefined
  /** Its source was backlogged when it sent it: of such data it counts how many are served, not when each is. Wherever it is. */
  inBulk?: boolean
  /**
   * How often its route could not be followed since a block of it was last done, here and elsewhere: the more often, the longer it
   * waits before it is tried again. Two devices that each believe that the other can do it so do not pass it to and fro.
   */
  refusals: number
}
