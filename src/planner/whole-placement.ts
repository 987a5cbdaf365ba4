import type { WholeModels } from '../core/whole-models.ts'
import { BlockTable } from './block-table.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { fastestFirst } from './fastest-first.ts'

/**
 * Whole models only, for policies that cannot part them (of a model that is pinned to its sources, at least the first block
 * there): each source's device gets the models of its sources first, then,
 * where they are of use everywhere, every device, fastest first, whatever else fits whole, the models with the most demand
 * first.
 */
export const wholePlacement = (
  problem: CapacityProblem,
  where: Exclude<WholeModels, false | 'in pipelines'>
): BlockTable => {
  const table = new BlockTable(problem)
  const put = (n: number, m: number): void => {
    const { weights } = problem.models[m]!
    const isHome = problem.sources.some(({ device, model }) => device === n && model === m)
    if (isHome && problem.models[m]!.pinned === true) table.put(n, m, 0)
    const missing = weights.reduce((sum, size, k) => sum + (table.carries(n, m, k) ? 0 : size), 0)
    if (missing <= table.left(n)) for (const k of weights.keys()) table.put(n, m, k)
  }
  for (const { device, model } of problem.sources) put(device, model)
  if (where === 'at sources') return table
  const demand = problem.models.map((_, m) =>
    problem.sources.reduce((sum, source) => sum + (source.model === m ? source.demand : 0), 0)
  )
  const byDemand = [...problem.models.keys()].sort((a, b) => demand[b]! - demand[a]! || a - b)
  for (const n of fastestFirst(problem)) for (const m of byDemand) if (demand[m]! > 0) put(n, m)
  return table
}
