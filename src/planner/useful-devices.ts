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
  const useful = new Map<number, Set<number>>()
  for (const { device, model } of problem.sources) {
    const there = reachable(problem, device, false)
    const back = reachable(problem, device, true)
    const both = useful.get(model) ?? new Set()
    for (const n of there) if (back.has(n)) both.add(n)
    useful.set(model, both)
  }
  const isUseful: IsUseful = (device, model) => useful.get(model)?.has(device) ?? true
  known.set(problem, isUseful)
  return isUseful
}

/** From `start` along the links, or, backwards, from where `start` can be reached. */
export const reachable = ({ links }: CapacityProblem, start: number, isBackwards: boolean): ReadonlySet<number> => {
  const next = new Map<number, number[]>()
  for (const { from, to } of links) {
    const [a, b] = isBackwards ? [to, from] : [from, to]
    const others = next.get(a)
    if (others === undefined) next.set(a, [b])
    else others.push(b)
  }
  const reached = new Set([start])
  for (const here of reached) for (const other of next.get(here) ?? []) reached.add(other) // grows while it is walked through
  return reached
}
