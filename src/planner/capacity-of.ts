import type { CapacityProblem } from './capacity-problem.ts'
import type { PlacementProblem } from './placement.ts'

/** What people call what the problem has ids for, in its order. */
export interface ProblemNames {
  readonly devices: readonly string[]
  readonly models: readonly string[]
  readonly sources: readonly string[]
}

/** The problem of a running cluster as one of capacity. @param names default: ids */
export const capacityOf = (
  { devices, models, links, sources }: PlacementProblem,
  names?: ProblemNames
): CapacityProblem => ({
  devices: devices.map(({ id, speed, memory, lanes }, n) => ({ name: names?.devices[n] ?? id, speed, memory, lanes })),
  links,
  models: models.map(({ id, blocks, activations, times, pinned }, m) => ({
    name: names?.models[m] ?? id,
    times,
    pinned,
    work: blocks.map(block => block.work),
    weights: blocks.map(block => block.bytes),
    activations
  })),
  sources: sources.map(({ device, model, demand }, s) => ({ name: names?.sources[s] ?? `${s}`, device, model, demand }))
})
