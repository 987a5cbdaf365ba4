import type { CapacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'

/** What has no time left, and what more of it would give. */
export interface TightResource {
  readonly kind: 'device' | 'link' | 'medium'
  /** "shed", "porch->shed", "of porch, shed". */
  readonly name: string
  /** The device; both ends of the link; who is on the medium. */
  readonly devices: readonly string[]
  /** Share of its time that is used. */
  readonly use: number
  /** Of the scale that is served, for as much again of the resource: by the duals, so true of a little more. */
  readonly gain: number
}

const MOST = 3

/** By what they cost, dearest first, as many as are told. */
export const tightResources = (
  problem: CapacityProblem,
  { prices, use, scale }: Pick<CapacityBound, 'prices' | 'use' | 'scale'>
): readonly TightResource[] => {
  const all = prices.flatMap((price, r) => (price > 1e-9 ? [{ r, price }] : []))
  const named = resourceNamer(problem)
  return all
    .sort((a, b) => b.price - a.price || a.r - b.r)
    .slice(0, MOST)
    .map(({ r, price }) => ({ ...named(r), use: use[r]!, gain: price / scale }))
}

/** Numbered as in the planner's world: devices, then links and media as they come. Names are made for those that matter. */
const resourceNamer = ({
  devices,
  links
}: CapacityProblem): ((r: number) => Pick<TightResource, 'kind' | 'name' | 'devices'>) => {
  const linkOf: number[] = []
  const media = new Set<number>()
  for (const [l, { medium }] of links.entries()) {
    if (medium !== undefined && media.has(medium)) continue
    if (medium !== undefined) media.add(medium)
    linkOf.push(l)
  }
  const nameOf = (n: number): string => devices[n]!.name
  return r => {
    if (r < devices.length) return { kind: 'device', name: nameOf(r), devices: [nameOf(r)] }
    const { from, to, medium } = links[linkOf[r - devices.length]!]!
    const ends = [nameOf(from), nameOf(to)]
    if (medium === undefined) return { kind: 'link', name: ends.join('->'), devices: ends }
    const members = [...new Set(links.flatMap(l => (l.medium === medium ? [l.from, l.to] : [])))].map(nameOf)
    return { kind: 'medium', name: `of ${members.join(', ')}`, devices: members }
  }
}
