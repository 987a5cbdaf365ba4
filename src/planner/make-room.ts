import type { Path } from '../core/cheapest-path.ts'
import type { BlockTable } from './block-table.ts'
import type { CapacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** The blocks that a path runs at a device. */
export const blocksAt = ({ uses }: Path, device: number): number[] => {
  let block = 0
  return uses.flatMap(({ from, to }) => {
    if (from !== to) return []
    const k = block++
    return from === device ? [k] : []
  })
}

/** Put the wanted blocks on a device; what is used least there, and carried elsewhere, goes. */
export const makeRoom = (
  problem: CapacityProblem,
  table: BlockTable,
  bound: CapacityBound,
  device: number,
  model: number,
  wanted: readonly number[]
): BlockTable | undefined => {
  const missing = wanted.filter(k => !table.carries(device, model, k))
  if (missing.length === 0) return undefined
  const next = table.copy()
  const used = useOf(problem, bound, device)
  const spare = [...table.of(device)]
    .filter(([m, k]) => table.copies(m, k) > 1 && !(m === model && wanted.includes(k)))
    .filter(([m, k]) => !isPinned(problem, device, m, k))
    .sort((a, b) => (used.get(`${a[0]} ${a[1]}`) ?? 0) - (used.get(`${b[0]} ${b[1]}`) ?? 0))
  for (const k of missing) {
    while (!next.put(device, model, k)) {
      const victim = spare.shift()
      if (victim === undefined) return undefined
      next.drop(device, ...victim)
    }
  }
  return next
}

/** Whether a source of the device needs the block there. */
export const isPinned = ({ models, sources }: CapacityProblem, device: number, model: number, block: number): boolean =>
  block === 0 && models[model]!.pinned === true && sources.some(s => s.device === device && s.model === model)

/** Data per second through each block at a device. */
const useOf = (problem: CapacityProblem, { flows }: CapacityBound, device: number): Map<string, number> => {
  const used = new Map<string, number>()
  for (const { source, path, rate } of flows) {
    const { model } = problem.sources[source]!
    for (const k of blocksAt(path, device)) {
      const key = `${model} ${k}`
      used.set(key, (used.get(key) ?? 0) + rate)
    }
  }
  return used
}
