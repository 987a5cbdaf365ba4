import { cheapestPath } from '../core/cheapest-path.ts'
import { formatBytes } from '../core/format-quantity.ts'
import type { Rng } from '../core/rng.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { BlockTable } from './block-table.ts'
import { type CapacityBound, capacityBound, worldOf } from './capacity-bound.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import { exactPlacement, exactSize } from './exact-placement.ts'
import { memoryRelaxation } from './memory-relaxation.ts'
import { type FoundPlacement, searchPlacement } from './search-placement.ts'
import type { SolveLp, SolveMip } from './solve-lp.ts'
import { reachable, usefulDevices } from './useful-devices.ts'

export interface Plan {
  /** Without memory limits. */
  readonly free: CapacityBound
  /** No placement that fits serves more than this. */
  readonly upper: number
  readonly table: BlockTable
  /** What the placement serves. */
  readonly predicted: CapacityBound
  /** (upper - predicted) / upper. */
  readonly gap: number
  readonly status: 'optimal' | 'timeLimit'
}

export type PlanOutcome =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'infeasible'; readonly because: string; readonly free: CapacityBound | undefined }

export interface PlanParts {
  readonly solve: SolveLp
  readonly solveMip: SolveMip
  /** For shaking; the same seed, the same plan, unless the time limit strikes. */
  readonly rng: Rng
  readonly now: () => Seconds
  readonly timeLimit: Seconds
}

/** As good as optimal. */
const GAP = 0.01
/** Programmes up to this size are solved exactly, if the search alone has not closed the gap. */
const EXACT = { columns: 6000, binaries: 150 }

/**
 * Where to put which blocks, so that all sources are served at the largest common factor of their demand; with what no
 * placement can exceed, and how far the answer is from it.
 *
 * The bound without memory; the relaxation with memory, which bounds from above; a search, which bounds from below;
 * and while the problem is small and a gap remains, the mixed-integer programme.
 */
export const plan = (problem: CapacityProblem, parts: PlanParts): PlanOutcome => {
  const start = parts.now()
  const within = (share: number) => (): boolean => parts.now() - start < share * parts.timeLimit
  const outcome = capacityBound(problem, () => true, parts.solve, { mayGoOn: within(0.3) })
  if (outcome.kind === 'infeasible') {
    return { kind: 'infeasible', because: cutOff(problem, outcome.source, outcome.block), free: undefined }
  }
  const free = outcome.bound
  const misfit = whatFitsNowhere(problem)
  if (misfit !== undefined) return { kind: 'infeasible', because: misfit, free }
  const everything = allThatFits(problem)
  if (everything !== undefined) {
    return { kind: 'plan', plan: finish(problem, everything, free, free.upper, parts, within(1)) }
  }
  const relaxed = memoryRelaxation(problem, free.upper, parts.solve, within(0.55))
  const size = exactSize(problem)
  const mayBeExact = size.columns <= EXACT.columns && size.binaries <= EXACT.binaries
  const search = {
    problem,
    solve: parts.solve,
    rng: parts.rng,
    upper: relaxed.upper,
    mayGoOn: within(mayBeExact ? 0.65 : 0.9)
  }
  let found = searchPlacement(search, relaxed)
  let { upper } = relaxed
  if (mayBeExact && (found === undefined || 1 - found.bound.scale / upper > GAP)) {
    const timeLimit = Math.max(0.2, 0.95 * parts.timeLimit - (parts.now() - start))
    const exact = exactPlacement(problem, free.upper, parts.solveMip, { timeLimit, gap: GAP / 2 })
    upper = Math.min(upper, exact.upper)
    found = better(problem, parts, found, exact.table)
  }
  if (found === undefined) return { kind: 'infeasible', because: tooLittle(problem, upper), free }
  return { kind: 'plan', plan: finish(problem, found.table, free, upper, parts, within(1), found.bound.flows) }
}

const better = (
  problem: CapacityProblem,
  { solve }: PlanParts,
  found: FoundPlacement | undefined,
  table: BlockTable | undefined
): FoundPlacement | undefined => {
  if (table === undefined) return found
  const outcome = capacityBound(problem, table.carries, solve)
  if (outcome.kind !== 'bound') return found
  return found === undefined || outcome.bound.scale > found.bound.scale ? { table, bound: outcome.bound } : found
}

const finish = (
  problem: CapacityProblem,
  table: BlockTable,
  free: CapacityBound,
  upper: number,
  { solve }: PlanParts,
  mayGoOn: () => boolean,
  warm: CapacityBound['flows'] = free.flows
): Plan => {
  const outcome = capacityBound(problem, table.carries, solve, { mayGoOn, warm })
  if (outcome.kind !== 'bound') throw new Error('a placement that was found serves no one')
  const predicted = outcome.bound
  const best = Math.max(predicted.scale, Math.min(upper, free.upper))
  const gap = Math.max(0, (best - predicted.scale) / best)
  return { free, upper: best, table, predicted, gap, status: gap <= GAP ? 'optimal' : 'timeLimit' }
}

/** Unloaded inference time of each source: the fastest path. @returns NaN where there is none */
export const unloadedTimes = (problem: CapacityProblem, carries: Carries): Seconds[] => {
  const world = worldOf(problem, carries)
  return problem.sources.map(({ device, model }) => {
    const path = cheapestPath({
      world,
      model,
      from: device,
      done: 0,
      home: device,
      price: () => 1,
      latencyPrice: seconds(1)
    })
    return seconds('stuckAt' in path ? Number.NaN : path.cost)
  })
}

/** Every block on every device that it can be of use on, where memory allows that. */
const allThatFits = (problem: CapacityProblem): BlockTable | undefined => {
  const table = new BlockTable(problem)
  const isUseful = usefulDevices(problem)
  for (const n of problem.devices.keys()) {
    for (const [m, { work }] of problem.models.entries()) {
      if (!isUseful(n, m)) continue
      for (const k of work.keys()) if (!table.put(n, m, k)) return undefined
    }
  }
  return table
}

const whatFitsNowhere = ({ devices, models, sources }: CapacityProblem): string | undefined => {
  const largest = devices.reduce((best, device) => (device.memory > best.memory ? device : best))
  const used = new Set(sources.map(({ model }) => model))
  for (const [m, { name, weights }] of models.entries()) {
    if (!used.has(m)) continue
    const block = weights.findIndex(size => size > largest.memory)
    if (block !== -1)
      return `block ${block} of ${name} needs ${formatBytes(weights[block]!)}; the largest device, ${largest.name}, has ${formatBytes(largest.memory)} for blocks: give it more memory, or cut the model finer`
  }
  return undefined
}

/** A block of a source's model that no device fits which the source can reach, and which can reach the source. */
const outOfReach = (problem: CapacityProblem): string | undefined => {
  const { devices, models, sources } = problem
  for (const { name, device, model } of sources) {
    const there = reachable(problem, device, false)
    const back = reachable(problem, device, true)
    const room = Math.max(...devices.map(({ memory }, n) => (there.has(n) && back.has(n) ? memory : 0)))
    const { name: modelName, weights } = models[model]!
    const block = weights.findIndex(size => size > room)
    if (block !== -1)
      return `source ${name} on ${devices[device]!.name} cannot be served: block ${block} of ${modelName} needs ${formatBytes(weights[block]!)}, and no device that it can reach and get results from has more than ${formatBytes(room)}: give one more memory, or add a link`
  }
  return undefined
}

const tooLittle = (problem: CapacityProblem, upper: number): string => {
  const { devices, models, sources } = problem
  const cut = outOfReach(problem)
  if (cut !== undefined) return cut
  const used = new Set(sources.map(({ model }) => model))
  const needed = models.reduce((sum, { weights }, m) => sum + (used.has(m) ? weights.reduce((a, b) => a + b, 0) : 0), 0)
  const there = devices.reduce((sum, { memory }) => sum + memory, 0)
  const sums = `the blocks need ${formatBytes(needed)} together, the devices have ${there === Number.POSITIVE_INFINITY ? 'room for all' : formatBytes(there)}`
  return needed > there
    ? `${sums}: not every block can be carried`
    : `no placement was found that serves every source (${sums}${upper > 1e-9 ? '; there may be one, give more time' : ''})`
}

const cutOff = ({ sources, models, devices }: CapacityProblem, source: number, block: number): string => {
  const { name, device, model } = sources[source]!
  return `source ${name} on ${devices[device]!.name} cannot be served: block ${block} of ${models[model]!.name} cannot be reached from there`
}
