import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Rng } from '../core/rng.ts'
import type { Seconds } from '../core/units.ts'
import { BlockTable } from './block-table.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { fewerMoves } from './fewer-moves.ts'
import { pipelinePlacement, pipelineScale } from './pipeline-placement.ts'
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
/** So much less than the best may be served where that saves moving. */
const FOR_FEWER_MOVES = 0.01

/**
 * The planner, for a running cluster. While nobody has sources, or where no plan serves them all, blocks are placed in
 * proportion to speed, unless all of them are carried: so every block is somewhere, or it is said which is not. Devices that carry blocks keep them where
 * a new plan would serve less than a twentieth more. Of pipelines: see pipeline-placement.ts. Where models are needed whole, they are placed so, as at the start of a
 * run (src/cli/scenario/policy-placement.ts).
 */
export const plannedPlacement = (problem: PlacementProblem, parts: PlannedPlacementParts): PlacementOutcome => {
  const { wholeModels } = problem
  if (problem.sources.length === 0 && wholeModels !== 'at sources') return proportionalPlacement(problem)
  const capacity = capacityProblem(problem)
  if (wholeModels !== false && wholeModels !== 'in pipelines')
    return { placement: placementOf(problem, wholePlacement(capacity, wholeModels)), unplaced: [] }
  const start = parts.now()
  const outcome = plan(capacity, parts)
  const { table: carried, isWhole } = tableOf(problem, capacity)
  if (outcome.kind === 'infeasible') {
    // A plan that was not found, in time or at all, is no reason to let go of what every block is carried by.
    if (isWhole) return { placement: placementOf(problem, withSpares(capacity, carried, carried)), unplaced: [] }
    return proportionalPlacement(problem)
  }
  const { table: wanted, predicted } = outcome.plan
  if (wholeModels === 'in pipelines') {
    const best = pipelinePlacement(capacity, wanted)
    if (best !== wanted) return { placement: placementOf(problem, worthMoving(capacity, carried, best)), unplaced: [] }
  }
  const now = isWhole ? capacityBound(capacity, carried.carries, parts.solve) : undefined
  if (now?.kind === 'bound' && now.bound.scale * (1 + WORTH_MOVING) >= predicted.scale)
    return { placement: placementOf(problem, carried), unplaced: [] }
  const near = fewerMoves({
    problem: capacity,
    carried,
    wanted,
    scale: (1 - FOR_FEWER_MOVES) * predicted.scale,
    flows: predicted.flows,
    solve: parts.solve,
    mayGoOn: () => parts.now() - start < 1.5 * parts.timeLimit
  })
  return { placement: placementOf(problem, withSpares(capacity, near, carried)), unplaced: [] }
}

/** The pipelines that are carried now stay where others would serve hardly more. */
const worthMoving = (capacity: CapacityProblem, carried: BlockTable, wanted: BlockTable): BlockTable =>
  pipelineScale(capacity, carried) * (1 + WORTH_MOVING) >= pipelineScale(capacity, wanted) ? carried : wanted

const capacityProblem = ({ devices, models, links, sources }: PlacementProblem): CapacityProblem => ({
  devices: devices.map(({ id, speed, memory }) => ({ name: id, speed, memory })),
  links,
  models: models.map(({ id, blocks, activations, times, pinned }) => ({
    name: id,
    times,
    pinned,
    work: blocks.map(block => block.work),
    weights: blocks.map(block => block.bytes),
    activations
  })),
  sources: sources.map(({ device, model, demand }, i) => ({ name: `${i}`, device, model, demand }))
})

/** What is loaded now, as far as it fits, and whether every block is somewhere. */
const tableOf = ({ devices, models, carried }: PlacementProblem, capacity: CapacityProblem) => {
  const table = new BlockTable(capacity)
  for (const [n, { id }] of devices.entries()) {
    for (const [m, model] of models.entries()) {
      for (const k of carried.get(id)?.get(model.id) ?? []) table.put(n, m, k)
    }
  }
  const isWhole = models.every(({ blocks }, m) => blocks.every((_, k) => table.copies(m, k) > 0))
  return { table, isWhole }
}

/**
 * Memory that the plan leaves keeps what is there, then takes more copies, rarest first: when a device is lost, others have
 * its blocks.
 */
const withSpares = (capacity: CapacityProblem, planned: BlockTable, carried: BlockTable): BlockTable => {
  const table = planned.copy()
  for (const n of capacity.devices.keys()) for (const [m, k] of carried.of(n)) table.put(n, m, k)
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
