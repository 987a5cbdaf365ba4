import { bestPipeline } from '../core/best-pipeline.ts'
import { cheapestPath } from '../core/cheapest-path.ts'
import { shortestTransfer } from '../core/shortest-transfer.ts'
import type { Step } from '../core/step.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { type Allowance, UNLIMITED } from './allowance.ts'
import { BlockTable } from './block-table.ts'
import { worldOf } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/**
 * A placement for a policy that gives each source one pipeline, each device once in it, blind to the others: the planner's,
 * or, where those pipelines together serve more on it, one in which each source's best pipeline within memory has its blocks
 * and nothing else is carried. The planner's is for any mix of paths, and with little memory it may hold no good pipeline.
 */
export const pipelinePlacement = (problem: CapacityProblem, planned: BlockTable): BlockTable => {
  const own = pipelineBlocks(problem)
  return own !== undefined && pipelineScale(problem, own) > pipelineScale(problem, planned) * (1 + 1e-6) ? own : planned
}

export interface PipelineOptions {
  /** Of the search of one pipeline. Default: its own. */
  readonly maxStates?: number
  /** Asked before each source's. Default: no limit. */
  readonly time?: Allowance
}

/** What the pipelines of all sources together can serve: the largest common factor of their demands. */
export const pipelineScale = (problem: CapacityProblem, table: BlockTable): number => {
  const world = worldOf(problem, table.carries)
  const use = new Array<number>(world.resources).fill(0)
  for (const { device, model, demand } of problem.sources) {
    const pipeline = bestPipeline({ world, model, from: device, done: 0, home: device })
    const uses =
      pipeline === undefined ? fastestUses(world, device, model) : usesOf(world, device, model, pipeline.stages)
    if (uses === undefined) return 0
    for (const { resource, time } of uses) use[resource]! += demand * time
  }
  return 1 / Math.max(...use)
}

/**
 * Each source's best pipeline within memory has its blocks, those of the largest demand first; nothing else is carried.
 *
 * @returns undefined where a source has no pipeline in the memory that the others left, or the time is up
 */
export const pipelineBlocks = (
  problem: CapacityProblem,
  { maxStates, time = UNLIMITED }: PipelineOptions = {}
): BlockTable | undefined => {
  const { models, sources } = problem
  const world = worldOf(problem, () => true)
  const table = new BlockTable(problem)
  for (const { device, model } of sources) if (models[model]!.pinned === true) table.put(device, model, 0)
  for (const { device: home, model } of sources.toSorted((a, b) => b.demand - a.demand)) {
    if (!time.mayGoOn()) return undefined
    const needs = (n: number, k: number): number => (table.carries(n, model, k) ? 0 : table.size(model, k))
    const room = { left: (n: number) => table.left(n), needs }
    const mayTake = (n: number, k: number): boolean => world.mayRun(n, model, k, home) && needs(n, k) <= table.left(n)
    const pipeline = bestPipeline({ world, model, from: home, done: 0, home, mayTake, room, maxStates })
    if (pipeline === undefined) return undefined
    let block = 0
    for (const { device, until } of pipeline.stages) for (; block < until; block++) table.put(device, model, block)
  }
  return table
}

interface ResourceUse {
  readonly resource: number
  readonly time: number
}

/** Where no pipeline exists, such a policy takes the fastest way, any device as often as needed. */
const fastestUses = (world: World, home: number, model: number): readonly ResourceUse[] | undefined => {
  const path = cheapestPath({
    world,
    model,
    from: home,
    done: 0,
    home,
    price: () => 1,
    latencyPrice: seconds(1),
    leastPrice: 1
  })
  return 'stuckAt' in path ? undefined : path.uses.map(({ resource, seconds: time }) => ({ resource, time }))
}

const usesOf = (world: World, home: number, model: number, stages: readonly Step[]): readonly ResourceUse[] => {
  const { activations, work } = world.models[model]!
  const uses: ResourceUse[] = []
  let [here, at] = [home, 0]
  const send = (to: number): void => {
    for (const hop of shortestTransfer(world, here, activations[at]!, n => n === to)?.hops ?? []) {
      const link = world.link(here, hop)!
      uses.push({ resource: link.resource, time: activations[at]! / link.rate })
      here = hop
    }
  }
  for (const { device, until } of stages) {
    send(device)
    for (; at < until; at++)
      uses.push({ resource: world.devices[device]!.resource, time: world.use(device, model, at) })
  }
  at = work.length
  send(home)
  return uses
}
