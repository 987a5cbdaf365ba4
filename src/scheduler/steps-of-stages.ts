import { shortestTransfer } from '../core/shortest-transfer.ts'
import type { World } from '../core/world.ts'
import type { Step, TaskState } from './policy.ts'

/** The steps of a task that is computed in stages, with the relays between devices that are no neighbours. */
export const stepsOfStages = (
  world: World,
  from: number,
  { model, done }: Pick<TaskState, 'model' | 'done'>,
  stages: readonly Step[]
): readonly Step[] => {
  const { activations } = world.models[model]!
  const steps: Step[] = []
  let here = from
  let at = done
  for (const stage of stages) {
    const hops = shortestTransfer(world, here, activations[at]!, n => n === stage.device)?.hops ?? []
    for (const relay of hops.slice(0, -1)) steps.push({ device: relay, until: at })
    steps.push(stage)
    here = stage.device
    at = stage.until
  }
  return steps
}
