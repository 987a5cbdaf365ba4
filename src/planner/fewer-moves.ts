import type { BlockTable } from './block-table.ts'
import { type CapacityBound, capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import type { SolveLp } from './solve-lp.ts'

export interface FewerMovesParts {
  readonly problem: CapacityProblem
  /** What is loaded now. */
  readonly carried: BlockTable
  /** What the planner found. */
  readonly wanted: BlockTable
  /** What a placement must serve. */
  readonly scale: number
  readonly flows: CapacityBound['flows']
  readonly solve: SolveLp
  readonly mayGoOn: () => boolean
}

/**
 * A placement that serves as much as is asked, with fewer weights to move than the one that was found: of equally good
 * placements there are many. Whole devices first, those with most to fetch, then single blocks, stay as they are now where
 * the capacity allows it.
 */
export const fewerMoves = (parts: FewerMovesParts): BlockTable => {
  const { problem, carried, mayGoOn } = parts
  let table = parts.wanted
  const devices = [...problem.devices.keys()].sort((a, b) => fetched(table, carried, b) - fetched(table, carried, a))
  for (const n of devices) {
    if (!mayGoOn()) return table
    if (fetched(table, carried, n) > 0) table = ifEnough(parts, keepDevice(table, carried, n)) ?? table
  }
  for (const n of devices) {
    for (const [m, k] of newBlocks(table, carried, n)) {
      if (!mayGoOn()) return table
      table = keepBlock(parts, table, n, m, k) ?? table
    }
  }
  return table
}

const newBlocks = (table: BlockTable, carried: BlockTable, n: number): (readonly [number, number])[] =>
  [...table.of(n)].filter(([m, k]) => !carried.carries(n, m, k))

const fetched = (table: BlockTable, carried: BlockTable, n: number): number =>
  newBlocks(table, carried, n).reduce((sum, [m, k]) => sum + table.size(m, k), 0)

const keepDevice = (table: BlockTable, carried: BlockTable, n: number): BlockTable => {
  const kept = table.copy()
  for (const [m, k] of [...kept.of(n)]) kept.drop(n, m, k)
  for (const [m, k] of carried.of(n)) kept.put(n, m, k)
  return kept
}

/** Instead of fetching this block, the device keeps one or more that it would drop. */
const keepBlock = (
  parts: FewerMovesParts,
  table: BlockTable,
  n: number,
  m: number,
  k: number
): BlockTable | undefined => {
  const without = table.copy()
  without.drop(n, m, k)
  const old = [...parts.carried.of(n)].filter(([model, block]) => !without.carries(n, model, block))
  for (const first of old.length === 0 ? [undefined] : old) {
    if (!parts.mayGoOn()) return undefined
    const kept = without.copy()
    for (const [model, block] of first === undefined ? [] : [first, ...old]) kept.put(n, model, block)
    const enough = ifEnough(parts, kept)
    if (enough !== undefined) return enough
  }
  return undefined
}

const ifEnough = ({ problem, solve, scale, flows }: FewerMovesParts, table: BlockTable): BlockTable | undefined => {
  const isWhole = problem.sources.every(({ model }) =>
    problem.models[model]!.work.every((_, k) => table.copies(model, k) > 0)
  )
  if (!isWhole) return undefined
  const warm = flows.filter(({ path, source }) => isCarried(problem, table, source, path))
  const outcome = capacityBound(problem, table.carries, solve, { warm })
  return outcome.kind === 'bound' && outcome.bound.scale >= scale ? table : undefined
}

/** Whether every block of the path is where the path runs it. */
const isCarried = (
  { sources }: CapacityProblem,
  table: BlockTable,
  source: number,
  path: CapacityBound['flows'][number]['path']
): boolean => {
  let k = 0
  return path.uses.every(({ from, to }) => from !== to || table.carries(from, sources[source]!.model, k++))
}
