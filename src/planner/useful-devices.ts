import type { CapacityProblem } from './capacity-problem.ts'

/** Whether a block of the model can be of use on the device: to whom no way leads, and from whom none leads back, it is not. */
export type IsUseful = (device: number, model: number) => boolean

const known = new WeakMap<CapacityProblem, IsUseful>()

/**
 * Devices that a source of the model can reach and that can reach it, over however many links. A model without sources
 * may get one anywhere.
 */
export const usefulDevices = (problem: CapacityProblem): IsUseful => {
  const before = known.get(problem)
  if (before !== undefined) return before
  const [onwards, backwards] = [neighbours(problem, 'to'), neighbours(problem, 'from')]
  const useful = new Map<number, Set<number>>()
  for (const { device, model } of problem.sources) {
    const there = reachable(onwards, device)
    const back = reachable(backwards, device)
    const both = useful.get(model) ?? new Set()
    for (const n of there) if (back.has(n)) both.add(n)
    useful.set(model, both)
  }
  const isUseful: IsUseful = (device, model) => useful.get(model)?.has(device) ?? true
  known.set(problem, isUseful)
  return isUseful
}

/** Of each device, where its links lead, or come from. */
export const neighbours = ({ devices, links }: CapacityProblem, end: 'from' | 'to'): readonly (readonly number[])[] => {
  const all = devices.map((): number[] => [])
  for (const link of links) all[end === 'to' ? link.from : link.to]!.push(link[end])
  return all
}

/** @param next of each device its neighbours, in one direction @returns the devices that come after `start`, and itself */
export const reachable = (next: readonly (readonly number[])[], start: number): ReadonlySet<number> => {
  const reached = new Set([start])
  for (const here of reached) {
    if (reached.size === next.length) break
    for (const there of next[here]!) reached.add(there) // grows while it is walked through
  }
  return reached
}
