import { cheapestPath } from '../core/cheapest-path.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Step, TaskState } from './policy.ts'

/** The fastest unloaded way of a task to its end, any device as often as needed; or the first block out of reach. */
export const fastestWay = (
  world: World,
  from: number,
  { model, done, home }: Pick<TaskState, 'model' | 'done' | 'home'>
): readonly Step[] | number => {
  const path = cheapestPath({ world, model, from, done, home, price: () => 1, latencyPrice: seconds(1), leastPrice: 1 })
  return 'stuckAt' in path ? path.stuckAt : path.steps
}
