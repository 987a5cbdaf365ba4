import type { Path } from '../core/cheapest-path.ts'
import type { World } from '../core/world.ts'
import type { Allowance } from './allowance.ts'
import type { BlockTable } from './block-table.ts'
import { capacityBound, setCarried } from './capacity-bound.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import { fastestPath } from './fastest-path.ts'
import { blocksAt, makeRoom } from './make-room.ts'
import { type FoundPlacement, pipelinesFirst } from './search-placement.ts'
import type { SolveLp } from './solve-lp.ts'

export interface ShorterWaysParts {
  readonly problem: CapacityProblem
  readonly solve: SolveLp
  /** Of this problem: what is carried is set before each use. */
  readonly world: World
  readonly time: Allowance
}

/** So much less than the best may be served where that makes the ways shorter. */
const FOR_SHORTER_WAYS = 0.002
/** What is not shorter by this much is not worth another look. */
const WORTHWHILE = 1e-3
/** Placements are compared by bounds this exact. */
const TOLERANCE = 1e-3
/** Of the fastest way, what a block costs that would fill the memory of its device: with more, fewer blocks come. */
const THRIFT = [0, 0.1, 0.4]
/** In a larger network not one round of looking at each device for each source ends in time. */
const MOST_DEVICES = 128
/** Placements next to one that are looked at for another step. */
const LOOKS = 32

/**
 * A placement that serves as much as the one that was found, on which data get home sooner: of equally good placements
 * there are many, and in some of them the same rate takes more crossings. One of pipelines is tried in its place; then,
 * device by device, the blocks of the way that a source would take if the device had them all come in place of what the
 * device uses least.
 */
export const shorterWays = (parts: ShorterWaysParts, found: FoundPlacement): FoundPlacement => {
  if (parts.problem.devices.length > MOST_DEVICES || !parts.time.mayGoOn()) return found
  const atLeast = (1 - FOR_SHORTER_WAYS) * found.bound.scale
  let best = measured(parts, found)
  const pipelines = pipelinesFirst(parts.problem, parts.time)
  const other = pipelines === undefined ? undefined : serving(parts, pipelines, best, atLeast)
  if (other !== undefined && other.ways < best.ways) best = other
  for (let next: Measured | undefined = best; next !== undefined; next = step(parts, best, atLeast)) best = next
  return best
}

interface Measured extends FoundPlacement {
  /** Seconds on the fastest ways and on those that the bound takes, both by demand. */
  readonly ways: number
}

const measured = (parts: ShorterWaysParts, { table, bound }: FoundPlacement): Measured => {
  const taken = bound.flows.reduce((sum, { path, rate }) => sum + rate * timeOf(parts, path), 0)
  return { table, bound, ways: fastestTime(parts, table.carries) + taken / bound.scale }
}

const timeOf = ({ world }: ShorterWaysParts, { uses }: Path): number =>
  uses.reduce((sum, { from, to, seconds: time }) => sum + time + (world.link(from, to)?.latency ?? 0), 0)

/** The first shorter one of those next to this one. */
const step = (parts: ShorterWaysParts, from: Measured, atLeast: number): Measured | undefined => {
  const nearby = neighbours(parts, from)
    .map(table => ({ table, time: fastestTime(parts, table.carries) }))
    .sort((a, b) => a.time - b.time)
  for (const { table } of nearby.slice(0, LOOKS)) {
    if (!parts.time.mayGoOn()) return undefined
    const next = serving(parts, table, from, atLeast)
    if (next !== undefined && next.ways < from.ways * (1 - WORTHWHILE)) return next
  }
  return undefined
}

/** The placement with what it serves, if that is enough. */
const serving = (
  parts: ShorterWaysParts,
  table: BlockTable,
  { bound: { flows: warm } }: FoundPlacement,
  atLeast: number
): Measured | undefined => {
  const { problem, solve, world, time } = parts
  setCarried(world, problem, table.carries)
  const outcome = capacityBound(problem, table.carries, solve, { tolerance: TOLERANCE, warm, world, time })
  if (outcome.kind !== 'bound' || outcome.bound.scale < atLeast) return undefined
  return measured(parts, { table, bound: outcome.bound })
}

const neighbours = (parts: ShorterWaysParts, { table, bound }: FoundPlacement): BlockTable[] => {
  const { problem, time } = parts
  const now = problem.sources.map((_, s) => fastest(parts, s, table.carries)?.cost ?? Number.POSITIVE_INFINITY)
  const tables: BlockTable[] = []
  for (const [n, { memory }] of problem.devices.entries()) {
    if (memory === Number.POSITIVE_INFINITY) continue
    for (const [s, { model }] of problem.sources.entries()) {
      if (!time.mayGoOn()) return tables
      for (const thrift of THRIFT) {
        const carries: Carries = (d, m, k) => (d === n && m === model) || table.carries(d, m, k)
        const price = (k: number): number =>
          table.carries(n, model, k) ? 0 : (thrift * now[s]! * table.size(model, k)) / memory
        const path = fastest(parts, s, carries, (d, k) => (d === n ? price(k) : 0))
        if (path === undefined || path.cost >= now[s]! * (1 - WORTHWHILE)) continue
        const moved = makeRoom(problem, table, bound, n, model, blocksAt(path, n))
        if (moved !== undefined) tables.push(moved)
      }
    }
  }
  return tables
}

/** Seconds that the sources' data need on their fastest ways, each by its demand. */
const fastestTime = (parts: ShorterWaysParts, carries: Carries): number =>
  parts.problem.sources.reduce(
    (sum, { demand }, s) => sum + demand * (fastest(parts, s, carries)?.cost ?? Number.POSITIVE_INFINITY),
    0
  )

const fastest = (
  { problem, world }: ShorterWaysParts,
  s: number,
  carries: Carries,
  blockPrice?: (device: number, block: number) => number
): Path | undefined => {
  setCarried(world, problem, carries)
  return fastestPath(problem, world, s, blockPrice)
}
