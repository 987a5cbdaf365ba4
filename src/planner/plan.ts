import { formatBytes, formatSeconds } from '../core/format-quantity.ts'
import type { Rng } from '../core/rng.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { type Allowance, TimeLimit, UNLIMITED } from './allowance.ts'
import { BlockTable } from './block-table.ts'
import { type CapacityBound, capacityBound, setCarried, worldOf } from './capacity-bound.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import { exactPlacement, exactSize } from './exact-placement.ts'
import { fastestPath } from './fastest-path.ts'
import { memoryRelaxation } from './memory-relaxation.ts'
import { type FoundPlacement, plainPlacement, searchPlacement } from './search-placement.ts'
import { shorterWays } from './shorter-ways.ts'
import type { SolveLp, SolveMip } from './solve-lp.ts'
import { neighbours, reachable, usefulDevices } from './useful-devices.ts'

export interface Plan {
  /** Without memory limits: what the search found, and what nothing can exceed. */
  readonly free: FreeBound
  /** No placement that fits serves more than this. */
  readonly upper: number
  readonly table: BlockTable
  /** What the placement serves. */
  readonly predicted: CapacityBound
  /** (upper - predicted) / upper. */
  readonly gap: number
  readonly status: 'optimal' | 'timeLimit'
  /** The time limit ended some part of the search: another run may find another plan, and other bounds. */
  readonly isCutOff: boolean
}

/** Nothing serves more than `upper`; the search stopped at `scale`, which can be served. */
export interface FreeBound {
  readonly scale: number
  readonly upper: number
}

export type PlanOutcome =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | {
      readonly kind: 'infeasible'
      /** Whether it is proven that no placement serves every source; otherwise none was found in time. */
      readonly isProven: boolean
      readonly because: string
      readonly free: FreeBound | undefined
    }

export interface PlanParts {
  readonly solve: SolveLp
  readonly solveMip: SolveMip
  /** For shaking; the same seed, the same plan, unless the time limit strikes. */
  readonly rng: Rng
  readonly now: () => Seconds
  readonly timeLimit: Seconds
}

/** What a placement serves is known so well. */
const EXACT_ENOUGH = 1e-6
/** As good as optimal. */
const GAP = 0.01
/** So near to what could be served if memory did not matter, a placement needs no better bound. */
const NEAR = 0.005
/** Programmes up to this size are solved exactly, if the search alone has not closed the gap. */
const EXACT = { columns: 6000, binaries: 150 }
/** Seconds beyond the limit that a first answer may take. */
const GRACE = 0.5
/** Shares of the limit: data get home sooner until then, or, where the search took as long itself, for so much more. */
const FOR_SHORTER_WAYS = { until: 0.5, least: 0.1 }
/** Of what memory allows nothing, by the tolerances of the solver. */
const NOTHING = 1e-6

/**
 * Where to put which blocks, so that all sources are served at the largest common factor of their demand; with what no
 * placement can exceed, and how far the answer is from it.
 *
 * The bound without memory; the relaxation with memory, which bounds from above; a search, which bounds from below;
 * and while the problem is small and a gap remains, the mixed-integer programme. Where the time limit ends one of them, what
 * it has proven by then still holds.
 */
export const plan = (problem: CapacityProblem, parts: PlanParts): PlanOutcome => {
  const limit = new TimeLimit(parts.timeLimit, parts.now)
  const misfit = whatFitsNowhere(problem) ?? pinnedMisfit(problem)
  const everything = misfit === undefined ? allThatFits(problem) : undefined
  const share = everything === undefined ? 0.3 : 0.9
  const startTime = limit.within(everything === undefined ? 0.5 : 1, GRACE)
  const world = worldOf(problem, () => true)
  const outcome = capacityBound(problem, () => true, parts.solve, { world, time: limit.within(share), startTime })
  if (outcome.kind === 'infeasible') return infeasible(cutOff(problem, outcome.source, outcome.block), undefined)
  const free: Free = outcome.kind === 'bound' ? outcome.bound : { scale: 0, upper: outcome.upper, flows: [] }
  if (misfit !== undefined) return infeasible(misfit, free)
  if (everything === undefined) return planWithin(problem, free, { world, parts, limit })
  if (outcome.kind === 'cutOff') return infeasible(tooLate(problem, parts.timeLimit), free, false)
  const found = { table: everything, bound: outcome.bound }
  return finish(problem, found, { free, upper: free.upper, world, parts, limit })
}

interface Free extends FreeBound {
  readonly flows: CapacityBound['flows']
}

const infeasible = (because: string, free: FreeBound | undefined, isProven = true): PlanOutcome => ({
  kind: 'infeasible',
  isProven,
  because,
  free
})

/** Where memory is limited. */
const planWithin = (problem: CapacityProblem, free: Free, context: Context): PlanOutcome => {
  const { world, parts, limit } = context
  const size = exactSize(problem)
  const mayBeExact = size.columns <= EXACT.columns && size.binaries <= EXACT.binaries
  const search = {
    problem,
    solve: parts.solve,
    rng: parts.rng,
    world,
    upper: free.upper,
    time: limit.within(mayBeExact ? 0.65 : 0.9),
    startTime: limit.within(1, GRACE)
  }
  const plain = mayBeExact ? undefined : plainPlacement({ ...search, time: limit.within(0.5) })
  if (plain !== undefined && plain.bound.scale >= (1 - NEAR) * free.upper)
    return shortened(problem, plain, { ...context, free, upper: free.upper })
  const relaxed = memoryRelaxation(problem, free.upper, parts.solve, { world, time: limit.within(0.55) })
  let found = searchPlacement({ ...search, upper: relaxed.upper }, relaxed, plain)
  let { upper } = relaxed
  if (mayBeExact && (found === undefined || 1 - found.bound.scale / upper > GAP)) {
    const timeLimit = Math.max(0.2, limit.within(0.95).left())
    const exact = exactPlacement(problem, free.upper, parts.solveMip, { timeLimit, gap: GAP / 2 })
    if (exact.timedOut) limit.strike()
    upper = Math.min(upper, exact.upper)
    found = better(problem, parts, found, exact.table)
  }
  if (found === undefined) return whyNone(problem, free, upper, parts.timeLimit, limit)
  return shortened(problem, found, { ...context, free, upper })
}

const shortened = (
  problem: CapacityProblem,
  found: FoundPlacement,
  context: Context & { readonly free: FreeBound; readonly upper: number }
): PlanOutcome => {
  const { world, parts, limit } = context
  const time = limit.within(Math.max(FOR_SHORTER_WAYS.until, limit.used() + FOR_SHORTER_WAYS.least))
  return finish(problem, shorterWays({ problem, solve: parts.solve, world, time }, found), context)
}

/** What all parts of the search share. */
interface Context {
  /** Of the problem; what is carried is set before each use. */
  readonly world: World
  readonly parts: PlanParts
  readonly limit: TimeLimit
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
  { table, bound }: FoundPlacement,
  { free, upper, world, parts, limit }: Context & { readonly free: FreeBound; readonly upper: number }
): PlanOutcome => {
  const time = limit.within(1)
  setCarried(world, problem, table.carries)
  const again =
    bound.gap > EXACT_ENOUGH && time.mayGoOn()
      ? capacityBound(problem, table.carries, parts.solve, { world, time, warm: bound.flows })
      : undefined
  const predicted = again?.kind === 'bound' && again.bound.scale > bound.scale ? again.bound : bound
  const best = Math.max(predicted.scale, Math.min(upper, free.upper))
  const gap = Math.max(0, (best - predicted.scale) / best)
  const status = gap <= GAP ? 'optimal' : 'timeLimit'
  // The same number by two ways differs in its last digit: memory never gives more than none.
  const most = { scale: free.scale, upper: Math.max(free.upper, best) }
  return { kind: 'plan', plan: { free: most, upper: best, table, predicted, gap, status, isCutOff: limit.struck } }
}

/** It is proven only where blocks have no room, or cannot be reached; otherwise none was found. */
const whyNone = (
  problem: CapacityProblem,
  free: FreeBound,
  upper: number,
  timeLimit: Seconds,
  limit: TimeLimit
): PlanOutcome => {
  const unreachable = outOfReach(problem)
  if (unreachable !== undefined) return infeasible(unreachable, free)
  const { isProven, because } = tooLittle(problem, upper <= NOTHING * free.upper)
  if (isProven) return infeasible(because, free)
  return infeasible(limit.struck ? `${because}; ${tooLate(problem, timeLimit)}` : because, free, false)
}

const tooLate = ({ devices, sources }: CapacityProblem, timeLimit: Seconds): string =>
  `the time limit of ${formatSeconds(timeLimit)} was too short to place the blocks of ${sources.length} sources on ${devices.length} devices: give more time`

/** Unloaded inference time of each source: the fastest path. @returns NaN where there is none, and when time was up */
export const unloadedTimes = (problem: CapacityProblem, carries: Carries, time: Allowance = UNLIMITED): Seconds[] => {
  if (!time.mayGoOn()) return problem.sources.map(() => seconds(Number.NaN))
  // Where nothing else is, nobody is there to be run with.
  const models = problem.models.map(({ batch: _, ...model }) => model)
  const world = worldOf({ ...problem, models }, carries)
  return problem.sources.map((_, s) => {
    if (!time.mayGoOn()) return seconds(Number.NaN)
    return seconds(fastestPath(problem, world, s)?.cost ?? Number.NaN)
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

/** First blocks that have to be on the device of their sources, and do not fit there. */
const pinnedMisfit = ({ devices, models, sources }: CapacityProblem): string | undefined => {
  for (const [n, { name, memory }] of devices.entries()) {
    const here = new Set(sources.flatMap(s => (s.device === n && models[s.model]!.pinned === true ? [s.model] : [])))
    const needed = [...here].reduce((sum, m) => sum + models[m]!.weights[0]!, 0)
    if (needed > memory)
      return `the first block of ${[...here].map(m => models[m]!.name).join(' and of ')} is pinned to its source on ${name} and needs ${formatBytes(needed)}; ${name} has ${formatBytes(memory)} for blocks: give it more memory, or cut the model finer`
  }
  return undefined
}

/** A block of a source's model that no device fits which the source can reach, and which can reach the source. */
const outOfReach = (problem: CapacityProblem): string | undefined => {
  const { devices, models, sources } = problem
  const [onwards, backwards] = [neighbours(problem, 'to'), neighbours(problem, 'from')]
  for (const { name, device, model } of sources) {
    const there = reachable(onwards, device)
    const back = reachable(backwards, device)
    const room = devices.reduce(
      (most, { memory }, n) => (there.has(n) && back.has(n) ? Math.max(most, memory) : most),
      0
    )
    const { name: modelName, weights } = models[model]!
    const block = weights.findIndex(size => size > room)
    if (block !== -1)
      return `source ${name} on ${devices[device]!.name} cannot be served: block ${block} of ${modelName} needs ${formatBytes(weights[block]!)}, and no device that it can reach and get results from has more than ${formatBytes(room)}: give one more memory, or add a link`
  }
  return undefined
}

const tooLittle = (problem: CapacityProblem, isNothing: boolean): { isProven: boolean; because: string } => {
  const { devices, models, sources } = problem
  const used = new Set(sources.map(({ model }) => model))
  const needed = models.reduce((sum, { weights }, m) => sum + (used.has(m) ? weights.reduce((a, b) => a + b, 0) : 0), 0)
  const there = devices.reduce((sum, { memory }) => sum + memory, 0)
  const sums = `the blocks need ${formatBytes(needed)} together, the devices have ${there === Number.POSITIVE_INFINITY ? 'room for all' : formatBytes(there)}`
  if (needed > there) return { isProven: true, because: `${sums}: not every block can be carried` }
  return isNothing
    ? { isProven: true, because: `no placement serves every source (${sums})` }
    : { isProven: false, because: `no placement was found that serves every source, though there may be one (${sums})` }
}

const cutOff = ({ sources, models, devices }: CapacityProblem, source: number, block: number): string => {
  const { name, device, model } = sources[source]!
  return `source ${name} on ${devices[device]!.name} cannot be served: block ${block} of ${models[model]!.name} cannot be reached from there`
}
