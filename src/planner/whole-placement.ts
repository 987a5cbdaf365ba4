import type { WholeModels } from '../core/whole-models.ts'
import { BlockTable } from './block-table.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/**
 * Whole models only, for policies that cannot part them: each source's device gets the models of its sources first, then,
 * where they are of use everywhere, every device, fastest first, whatever else fits whole, the models with the most demand
 * first.
 */
export const wholePlacement = (problem: CapacityProblem, where: Exclude<WholeModels, false>): BlockTable => {
  const table = new BlockTable(problem)
  const put = (n: number, m: number): void => {
    const { weights } = problem.models[m]!
    if (weights.reduce((a, b) => a + b, 0) <= table.left(n)) for (const k of weights.keys()) table.put(n, m, k)
  }
  for (const { device, model } of problem.sources) put(device, model)
  if (where === 'at sources') return table
  const demand = problem.models.map((_, m) =>
    problem.sources.reduce((sum, source) => sum + (source.model === m ? source.demand : 0), 0)
  )
  const byDemand = [...problem.models.keys()].sort((a, b) => demand[b]! - demand[a]! || a - b)
  const bySpeed = [...problem.devices.keys()].sort(
    (a, b) => problem.devices[b]!.speed - problem.devices[a]!.speed || a - b
  )
  for (const n of bySpeed) for (const m of byDemand) if (demand[m]! > 0) put(n, m)
  return table
}
