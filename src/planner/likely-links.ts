import { World } from '../core/world.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** Links that are kept from each device and to each, the fastest; of a source's device more, since all its data pass there. */
const KEPT = { of: 24, ofSource: 192 }

/**
 * The world of a large network with those links only that are likely to be taken: for each device its fastest. A search among
 * them looks at a tenth, and what it finds is a way in the whole world: resources have the same numbers.
 */
export const likelyLinks = (problem: CapacityProblem, whole: World): World => {
  const thin = new World()
  for (const { work, activations, id, pinned = false } of whole.models) thin.addModel({ id, work, activations, pinned })
  for (const { id, speed, lanes } of whole.devices) thin.addDevice(id, speed, lanes)
  const fromSource = new Set(problem.sources.map(({ device }) => device))
  const kept = (n: number): number => (fromSource.has(n) ? KEPT.ofSource : KEPT.of)
  const incoming = whole.devices.map((): { from: number; to: number; rate: number }[] => [])
  const keep = (links: readonly { from: number; to: number; rate: number }[], n: number) => {
    for (const { from, to } of links.toSorted((a, b) => b.rate - a.rate).slice(0, kept(n))) {
      const { rate, latency, resource } = whole.link(from, to)!
      thin.setLink(from, to, rate, latency, resource)
    }
  }
  for (const [n, links] of whole.links.entries()) {
    keep(links, n)
    for (const link of links) incoming[link.to]!.push(link)
  }
  for (const [n, links] of incoming.entries()) keep(links, n)
  for (const m of whole.models.keys())
    for (const n of whole.devices.keys())
      for (const k of whole.models[m]!.work.keys()) {
        thin.setBlockTime(n, m, k, whole.blockTime(n, m, k))
        thin.setCarried(n, m, k, whole.isMarkedCarried(n, m, k))
      }
  thin.resources = whole.resources
  return thin
}
