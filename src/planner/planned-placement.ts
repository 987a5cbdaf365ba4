import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Rng } from '../core/rng.ts'
import type { Seconds } from '../core/units.ts'
import type { BlockTable } from './block-table.ts'
import { capacityBound } from './capacity-bound.ts'
import { capacityOf } from './capacity-of.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { fewerMoves } from './fewer-moves.ts'
import { pipelinePlacement, pipelineScale } from './pipeline-placement.ts'
import type { Placement, PlacementOutcome, PlacementProblem } from './placement.ts'
import { plan } from './plan.ts'
import { proportionalPlacement } from './proportional-placement.ts'
import type { SolveLp, SolveMip } from './solve-lp.ts'
import { tableOf } from './table-of.ts'
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
  const capacity = capacityOf(problem)
  if (wholeModels !== false && wholeModels !== 'in pipelines')
    return { placement: placementOf(problem, wholePlacement(capacity, wholeModels)), unplaced: [] }
  const start = parts.now()
  const outcome = plan(capacity, parts)
  const carried = tableOf(problem, capacity, problem.carried)
  const isWhole = problem.models.every(({ blocks }, m) => blocks.every((_, k) => carried.copies(m, k) > 0))
  if (outcome.kind === 'infeasible') {
    // A plan that was not found, in time or at all, is no reason to let go of what every block is carried by.
    if (isWhole) return { placement: placementOf(problem, withSpares(capacity, carried, carried)), unplaced: [] }
    return proportionalPlacement(problem)
  }
  const { table: wanted, predicted, upper } = outcome.plan
  if (wholeModels === 'in pipelines') {
    const best = pipelinePlacement(capacity, wanted)
    if (best !== wanted) return { placement: placementOf(problem, worthMoving(capacity, carried, best)), unplaced: [] }
  }
  const now = isWhole ? capacityBound(capacity, carried.carries, parts.solve) : undefined
  const before = now?.kind === 'bound' ? now.bound.scale : undefined
  const foreseen = { best: predicted.scale, most: upper, ...(before === undefined ? {} : { before }) }
  if (before !== undefined && before * (1 + WORTH_MOVING) >= predicted.scale)
    return { placement: placementOf(problem, carried), unplaced: [], foreseen }
  const near = fewerMoves({
    problem: capacity,
    carried,
    wanted,
    scale: (1 - FOR_FEWER_MOVES) * predicted.scale,
    flows: predicted.flows,
    solve: parts.solve,
    mayGoOn: () => parts.now() - start < 1.5 * parts.timeLimit
  })
  return { placement: placementOf(problem, withSpares(capacity, near, carried)), unplaced: [], foreseen }
}

/** The pipelines that are carried now stay where others would serve hardly more. */
const worthMoving = (capacity: CapacityProblem, carried: BlockTable, wanted: BlockTable): BlockTable =>
  pipelineScale(capacity, carried) * (1 + WORTH_MOVING) >= pipelineScale(capacity, wanted) ? carried : wanted

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
