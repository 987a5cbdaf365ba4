import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Rng } from '../core/rng.ts'
import type { Seconds } from '../core/units.ts'
import { BlockTable } from './block-table.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import type { Placement, PlacementOutcome, PlacementProblem } from './placement.ts'
import { plan } from './plan.ts'
import { proportionalPlacement } from './proportional-placement.ts'
import type { SolveLp, SolveMip } from './solve-lp.ts'
import { wholePlacement } from './whole-placement.ts'

export interface PlannedPlacementParts {
  readonly solve: SolveLp
  readonly solveMip: SolveMip
  readonly rng: Rng
  readonly now: () => Seconds
  readonly timeLimit: Seconds
}

/** Weights are moved only for a plan that serves so much more than what is carried now. */
const WORTH_MOVING = 0.05

/**
 * The planner, for a running cluster. While nobody has sources, or where no plan serves them all, blocks are placed in
 * proportion to speed: so every block is somewhere, or it is said which is not. Devices that carry blocks keep them where
 * a new plan would serve less than a twentieth more.
 */
export const plannedPlacement = (problem: PlacementProblem, parts: PlannedPlacementParts): PlacementOutcome => {
  if (problem.sources.length === 0) return proportionalPlacement(problem)
  const capacity = capacityProblem(problem)
  if (problem.wholeModels) return { placement: placementOf(problem, wholePlacement(capacity, true)), unplaced: [] }
  const outcome = plan(capacity, parts)
  if (outcome.kind === 'infeasible') return proportionalPlacement(problem)
  const carried = tableOf(problem, capacity)
  const now = carried === undefined ? undefined : capacityBound(capacity, carried.carries, parts.solve)
  const isEnough =
    now?.kind === 'bound' &&
    now.bound.scale * (1 + WORTH_MOVING) >= outcome.plan.predicted.scale &&
    carried !== undefined
  return {
    placement: placementOf(problem, isEnough ? carried : withSpares(capacity, outcome.plan.table)),
    unplaced: []
  }
}

const capacityProblem = ({ devices, models, links, sources }: PlacementProblem): CapacityProblem => ({
  devices: devices.map(({ id, speed, memory }) => ({ name: id, speed, memory })),
  links,
  models: models.map(({ id, blocks, activations }) => ({
    name: id,
    work: blocks.map(block => block.work),
    weights: blocks.map(block => block.bytes),
    activations
  })),
  sources: sources.map(({ device, model, demand }, i) => ({ name: `${i}`, device, model, demand }))
})

/** What is loaded now; undefined where some block is nowhere. */
const tableOf = ({ devices, models, carried }: PlacementProblem, capacity: CapacityProblem): BlockTable | undefined => {
  const table = new BlockTable(capacity)
  for (const [n, { id }] of devices.entries()) {
    for (const [m, model] of models.entries()) {
      for (const k of carried.get(id)?.get(model.id) ?? []) if (!table.put(n, m, k)) return undefined
    }
  }
  const isWhole = models.every(({ blocks }, m) => blocks.every((_, k) => table.copies(m, k) > 0))
  return isWhole ? table : undefined
}

/** Memory that the plan leaves takes more copies, rarest first: when a device is lost, others have its blocks. */
const withSpares = (capacity: CapacityProblem, table: BlockTable): BlockTable => {
  const all = capacity.models.flatMap(({ work }, m) => [...work.keys()].map(k => [m, k] as const))
  for (const n of capacity.devices.keys()) {
    const rarest = all.toSorted(([m, k], [o, l]) => table.copies(m, k) - table.copies(o, l) || m - o || k - l)
    for (const [m, k] of rarest) table.put(n, m, k)
  }
  return table
}

const placementOf = ({ devices, models }: PlacementProblem, table: BlockTable): Placement =>
  new Map(
    devices.map(({ id }, n): [DeviceId, ReadonlyMap<ModelId, readonly number[]>] => [
      id,
      new Map(models.map((model, m) => [model.id, [...model.blocks.keys()].filter(k => table.carries(n, m, k))]))
    ])
  )
