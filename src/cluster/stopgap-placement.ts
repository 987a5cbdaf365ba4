import type { Placement, PlacementOutcome, PlacementProblem } from '../planner/placement.ts'
import { proportionalPlacement } from '../planner/proportional-placement.ts'

/**
 * What holds until a plan is made, and takes no time: the placement in force, where each block of it has a carrier that is
 * there, and else every block once, in proportion to speed. Who has come since is named and carries nothing yet.
 */
export const stopgapPlacement = (problem: PlacementProblem, current: Placement | undefined): PlacementOutcome => {
  if (current === undefined || !covers(current, problem)) return proportionalPlacement(problem, { copies: false })
  const placement = new Map(problem.devices.map(({ id }) => [id, current.get(id) ?? new Map()]))
  return { placement, unplaced: [] }
}

const covers = (placement: Placement, { devices, models }: PlacementProblem): boolean =>
  models.every(({ id, blocks }) => {
    const carried = new Set(devices.flatMap(device => placement.get(device.id)?.get(id) ?? []))
    return carried.size === blocks.length
  })
