import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/**
 * The way of a datum of source `s` through the world that takes least time while nothing else is there; its cost is in seconds.
 *
 * @param blockPrice what running a block on a device costs besides; default: nothing
 * @returns undefined where there is none
 */
export const fastestPath = (
  { sources }: CapacityProblem,
  world: World,
  s: number,
  blockPrice: (device: number, block: number) => number = () => 0
): Path | undefined => {
  const { device, model } = sources[s]!
  const query = {
    world,
    model,
    from: device,
    done: 0,
    home: device,
    price: () => 1,
    latencyPrice: seconds(1),
    leastPrice: 1
  }
  const path = cheapestPath({ ...query, blockPrice })
  return 'stuckAt' in path ? undefined : path
}
