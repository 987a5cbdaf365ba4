import { shortestTransfer } from '../core/shortest-transfer.ts'
import type { World } from '../core/world.ts'
import type { Step, TaskState } from './policy.ts'

/** The steps that carry a finished task from `here` to its source by the fastest unloaded way; undefined when cut off. */
export const wayHome = (world: World, here: number, task: TaskState): readonly Step[] | undefined => {
  if (here === task.home) return [{ device: here, until: task.done }]
  const size = world.models[task.model]!.activations[task.done]!
  const found = shortestTransfer(world, here, size, device => device === task.home)
  return found?.hops.map(device => ({ device, until: task.done }))
}
