import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Allowance } from './allowance.ts'
import type { CapacityProblem } from './capacity-problem.ts'

export interface SpreadPaths {
  readonly paths: readonly { readonly source: number; readonly path: Path }[]
  /** Of resources, in proportion to each other; 0 where nothing was taken. By weak duality they prove a bound. */
  readonly prices: readonly number[]
}

/** The price of a resource that is taken all is e to this times that of an idle one. */
const STEEPNESS = 8
/** Of a way, so much more than the cheapest: it is found in a third of the time, and mixed with others anyway. */
const SLACK = 0.1
/** Sums of the same numbers in another order differ by less. */
const ROUNDING = 1 + 1e-9
/** Ways of each source for each device that it has for itself, if all have the same. */
const WAYS = 4
const ROUNDS = { least: 16, most: 60 }

/**
 * Ways that together take little more of any resource than they have to: in rounds, each source sends one share of its demand on
 * its cheapest way, at prices that grow exponentially with what was taken before. A programme that mixes them is near its
 * best at once, where one that asks for a way at a time asks hundreds of times in a large network. Garg and Könemann: Faster and
 * simpler algorithms for multicommodity flow and other fractional packing problems, 1998.
 *
 * @param scale about what can be served, in times of all demands: the nearer, the better the ways are mixed
 */
export const spreadPaths = (
  problem: CapacityProblem,
  world: World,
  { scale, time }: { readonly scale: number; readonly time: Allowance }
): SpreadPaths => {
  const { devices, sources } = problem
  const rounds = Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.ceil((WAYS * devices.length) / sources.length)))
  const prices = new Float64Array(world.resources).fill(1)
  const paths: { source: number; path: Path }[] = []
  const price = (resource: number): number => prices[resource]!
  const latencyPrice = seconds(0)
  const last: (Path | undefined)[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [source, { device, model, demand }] of sources.entries()) {
      if (!time.mayGoOn()) return { paths, prices: aboveIdle(prices) }
      const before = last[source]
      const atMost = before === undefined ? Number.POSITIVE_INFINITY : ROUNDING * costOf(before, price)
      const query = { world, model, from: device, done: 0, home: device, price, latencyPrice, leastPrice: 1 }
      const path = cheapestPath({ ...query, slack: SLACK, atMost })
      if ('stuckAt' in path) continue
      last[source] = path
      paths.push({ source, path })
      const share = (STEEPNESS * demand * scale) / rounds
      for (const { resource, seconds: takes } of path.uses) prices[resource]! *= Math.exp(share * takes)
    }
  }
  return { paths, prices: aboveIdle(prices) }
}

const costOf = ({ uses }: Path, price: (resource: number) => number): number =>
  uses.reduce((sum, { resource, seconds: time }) => sum + price(resource) * time, 0)

const aboveIdle = (prices: Float64Array): number[] => Array.from(prices, price => price - 1)
