import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Commitment, RoutedTask } from './policy.ts'

/** What a task that is at device `from` will take of workers and links on the rest of its route, as far as they are known. */
export const routeUses = (world: World, from: number, { model, done, route }: RoutedTask): Commitment[] => {
  const { activations } = world.models[model]!
  const uses: Commitment[] = []
  let here = from
  let next = done
  for (const { device, until } of route) {
    if (device !== here) {
      const link = world.link(here, device)
      if (link !== undefined) uses.push({ from: here, to: device, seconds: seconds(activations[next]! / link.rate) })
    }
    let work = 0
    for (; next < until; next++) work += world.use(device, model, next)
    if (work > 0) uses.push({ from: device, to: device, seconds: seconds(work) })
    here = device
  }
  return uses
}
