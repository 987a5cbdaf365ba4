import { equalDevices, isNear } from './equal-devices.ts'
import { mayTakeOf, type Pipeline, type PipelineQuery, PipelineSearch } from './pipeline-search.ts'
import { blocksOf } from './progress.ts'

export type { Pipeline, PipelineQuery }

/** 24 bytes each. */
const MAX_STATES = 2 ** 21
/** Visits of a state by the next stage's last block, at most, before any of them is pruned. */
const MAX_VISITS = 1e9
/** Where not all devices can be considered, those that differ by so little are taken for equal. */
const NEARLY = 0.05
/** Of the table for a first pipeline. */
const FEW_STATES = 2 ** 13

/**
 * The pipeline over devices, each of which comes once with a run of blocks, whose slowest stage, computing or sending, is
 * fastest; among those, the one that is fastest through. PipeEdge's dynamic programme (Hu et al., arXiv 2110.14895) over
 * (blocks done, devices used, last device), where devices that are equal are only counted: its size is the product of the
 * sizes of the groups, not 2 to the number of devices. Sending to a device that is no neighbour counts as the slowest hop of
 * the way there; the ways from the datum to the first stage and home from the last count too.
 *
 * Where that is too large even so, only some devices are considered: first those that cover the blocks with fewest
 * devices, then the fastest.
 * @returns undefined where no pipeline exists over the devices considered
 */
export const bestPipeline = (query: PipelineQuery): Pipeline | undefined => {
  const ranked = rankedDevices(query)
  const groups = groupedCandidates(query, ranked)
  if (groups.length === 0) return undefined
  const search = new PipelineSearch(query, groups)
  const bottleneck = search.leastBottleneck(quickly(query, ranked, groups))
  return bottleneck === undefined ? undefined : search.shortestWithin(bottleneck)
}

/** The bottleneck of a pipeline over few of the devices: no better one than that needs to be looked at. */
const quickly = (query: PipelineQuery, ranked: readonly number[], groups: readonly (readonly number[])[]): number => {
  const few = withinBudget({ ...query, maxStates: FEW_STATES }, ranked, groups)
  if (few.length === 0) return Number.POSITIVE_INFINITY
  return new PipelineSearch(query, few).leastBottleneck(Number.POSITIVE_INFINITY) ?? Number.POSITIVE_INFINITY
}

/** Equal devices together, as many as the table has room for. */
const groupedCandidates = (query: PipelineQuery, ranked: readonly number[]): readonly (readonly number[])[] => {
  const exact = withinBudget(query, ranked, equalDevices(query.world, ranked, isAlike(query, 1e-12), 1e-12))
  if (exact.flat().length === ranked.length) return exact
  const nearly = withinBudget(query, ranked, equalDevices(query.world, ranked, isAlike(query, NEARLY), NEARLY))
  return nearly.flat().length > exact.flat().length ? nearly : exact
}

/** Those that cover the blocks that remain, most at a time, ties to the faster; then the fastest. */
const rankedDevices = (query: PipelineQuery): readonly number[] => {
  const { world, model, from, done } = query
  const mayTake = mayTakeOf(query)
  const left = [...world.models[model]!.work.keys()].slice(done)
  const timeOf = (n: number): number => left.reduce((sum, k) => sum + world.use(n, model, k), 0)
  const takers = [...world.devices.keys()]
    .filter(n => world.devices[n]!.up && left.some(k => mayTake(n, k)))
    .map(n => ({ n, time: timeOf(n) }))
    .sort((a, b) => a.time - b.time || Number(b.n === from) - Number(a.n === from) || a.n - b.n)
    .map(({ n }) => n)
  const chosen = new Set<number>()
  const missing = new Set(left)
  const gain = (n: number): number => left.filter(k => missing.has(k) && mayTake(n, k)).length
  while (missing.size > 0 && takers.length > chosen.size) {
    const next = takers.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    if (gain(next) === 0) break
    chosen.add(next)
    for (const k of left) if (mayTake(next, k)) missing.delete(k)
  }
  return [...chosen, ...takers.filter(n => !chosen.has(n))]
}

const isAlike = (query: PipelineQuery, tolerance: number) => {
  const { world, model, from, home, done, room } = query
  const mayTake = mayTakeOf(query)
  const blocks = blocksOf(world, model)
  return (a: number, b: number): boolean => {
    // The ways to and from these two are no other device's.
    if ([a, b].some(n => n === from || n === home)) return false
    if (world.devices[a]!.lanes !== world.devices[b]!.lanes) return false
    if (room !== undefined && room.left(a) !== room.left(b)) return false
    for (let k = done; k < blocks; k++) {
      if (mayTake(a, k) !== mayTake(b, k)) return false
      if (mayTake(a, k) && !isNear(world.blockTime(a, model, k), world.blockTime(b, model, k), tolerance)) return false
      if (room !== undefined && room.needs(a, k) !== room.needs(b, k)) return false
    }
    return true
  }
}

/** Devices in their order, each where the table has room for one more of its group. */
const withinBudget = (
  { world, model, done, maxStates = MAX_STATES }: PipelineQuery,
  ranked: readonly number[],
  groups: readonly (readonly number[])[]
): readonly (readonly number[])[] => {
  const blocks = blocksOf(world, model)
  const left = blocks - done
  const groupOf = new Map(groups.flatMap((group, g) => group.map(n => [n, g] as const)))
  const chosen = groups.map((): number[] => [])
  const fits = (): boolean => {
    const sizes = chosen.flatMap(({ length }) => (length === 0 ? [] : [Math.min(length, left)]))
    const states = sizes.reduce((product, size) => product * (size + 1), sizes.length)
    return states * (blocks + 1) <= maxStates && (states * left * left) / 2 <= MAX_VISITS
  }
  for (const n of ranked) {
    const group = chosen[groupOf.get(n) ?? -1]
    if (group === undefined) continue
    group.push(n)
    if (!fits()) group.pop()
  }
  return chosen.filter(({ length }) => length > 0)
}
