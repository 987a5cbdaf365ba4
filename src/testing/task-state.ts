import { seconds } from '../core/units.ts'
import type { TaskState } from '../scheduler/policy.ts'

/** A fresh datum of device 0. */
export const taskState = (over: Partial<TaskState> = {}): TaskState => ({
  source: 's',
  datum: 0,
  model: 0,
  home: 0,
  weight: 1,
  isBacklogged: false,
  lag: seconds(0),
  availableAt: seconds(0),
  arrivedAt: seconds(0),
  done: 0,
  ...over
})
