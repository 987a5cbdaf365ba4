import { BlockTable } from './block-table.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import type { Placement, PlacementProblem } from './placement.ts'

/** A placement as searches work on it, as far as it fits. */
export const tableOf = (
  { devices, models }: PlacementProblem,
  capacity: CapacityProblem,
  placement: Placement
): BlockTable => {
  const table = new BlockTable(capacity)
  for (const [n, { id }] of devices.entries()) {
    for (const [m, model] of models.entries()) {
      for (const k of placement.get(id)?.get(model.id) ?? []) table.put(n, m, k)
    }
  }
  return table
}
