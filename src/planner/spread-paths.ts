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
/** The scale is taken to be no more than so many times what the ways so far can serve. */
const HOPE = 2
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
 * @param most nothing serves more, in times of all demands
 */
export const spreadPaths = (
  problem: CapacityProblem,
  world: World,
  { most, time }: { readonly most: number; readonly time: Allowance }
): SpreadPaths => {
  const { devices, sources } = problem
  const rounds = Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.ceil((WAYS * devices.length) / sources.length)))
  const taken = new Taken(world.resources)
  const paths: { source: number; path: Path }[] = []
  const last: (Path | undefined)[] = []
  for (let round = 0; round < rounds; round++) {
    const served = taken.most > 0 ? round / taken.most : 0
    taken.priceAt((STEEPNESS * Math.min(most, HOPE * served)) / rounds)
    for (const [source, { demand }] of sources.entries()) {
      if (!time.mayGoOn()) return { paths, prices: taken.aboveIdle() }
      const path = nextWay(problem, world, source, taken, last[source])
      if (path === undefined) continue
      last[source] = path
      paths.push({ source, path })
      for (const { resource, seconds: takes } of path.uses) taken.add(resource, demand * takes)
    }
  }
  return { paths, prices: taken.aboveIdle() }
}

const nextWay = (
  { sources }: CapacityProblem,
  world: World,
  source: number,
  { price }: Taken,
  before: Path | undefined
): Path | undefined => {
  const { device, model } = sources[source]!
  const atMost = before?.uses.reduce((sum, { resource, seconds: takes }) => sum + price(resource) * takes, 0)
  const path = cheapestPath({
    ...{ world, model, from: device, done: 0, home: device, price },
    ...{ latencyPrice: seconds(0), leastPrice: 1, slack: SLACK },
    ...(atMost === undefined ? {} : { atMost: ROUNDING * atMost })
  })
  return 'stuckAt' in path ? undefined : path
}

/** Seconds of each resource that were taken, and what it costs for that. */
class Taken {
  readonly #seconds: Float64Array
  readonly #prices: Float64Array
  readonly #used: number[] = []
  #perSecond = 0
  /** Of any. */
  most = 0

  constructor(resources: number) {
    this.#seconds = new Float64Array(resources)
    this.#prices = new Float64Array(resources).fill(1)
  }

  readonly price = (resource: number): number => this.#prices[resource]!

  add(resource: number, seconds: number): void {
    if (this.#seconds[resource] === 0) this.#used.push(resource)
    this.#seconds[resource]! += seconds
    this.most = Math.max(this.most, this.#seconds[resource]!)
    this.#priceOne(resource)
  }

  /** @param perSecond the exponent of the price, for a second taken */
  priceAt(perSecond: number): void {
    this.#perSecond = perSecond
    for (const resource of this.#used) this.#priceOne(resource)
  }

  aboveIdle(): number[] {
    return Array.from(this.#prices, price => price - 1)
  }

  #priceOne(resource: number): void {
    this.#prices[resource] = Math.exp(this.#perSecond * this.#seconds[resource]!)
  }
}
