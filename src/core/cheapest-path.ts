import { CostHeap } from './cost-heap.ts'
import { blocksOf } from './progress.ts'
import type { Step } from './step.ts'
import type { Seconds } from './units.ts'
import type { LinkView, World } from './world.ts'

/** What the search pays for using a resource now, per second of use. */
export type Price = (resource: number) => number

export interface PathQuery {
  readonly world: World
  readonly model: number
  readonly from: number
  /** Blocks already done. */
  readonly done: number
  readonly home: number
  readonly price: Price
  /** What a second of propagation delay costs. */
  readonly latencyPrice: Seconds
  /** What waiting for resources costs. Default: nothing. */
  readonly waiting?: Waiting | undefined
  /** What running a block on a device costs besides its time. Default: nothing. */
  readonly blockPrice?: (device: number, block: number) => number
  /** A path that costs more is of no interest: the search does not go there. Default: any is. */
  readonly atMost?: number
}

/** A path waits at a resource for as long as that is still busy when it gets there. */
export interface Waiting {
  /** Seconds from now until the resource is free. */
  readonly until: (resource: number) => number
  /** What a second of waiting costs. */
  readonly price: Seconds
}

/** Use of one resource by the path, in seconds. */
export interface Use {
  readonly from: number
  readonly to: number
  readonly resource: number
  readonly seconds: number
}

export interface Path {
  readonly cost: number
  readonly steps: readonly Step[]
  readonly uses: readonly Use[]
}

/**
 * The cheapest way to finish a datum: one shortest path in the layered graph of (device, blocks done), from
 * (from, done) to (home, K). Edges: run the next block where it is carried, at price(worker) per second; carry the
 * activation over a link, at price(link) per second of transfer plus the price of its latency. Layer by layer, since
 * blocks are only ever added; inside a layer Dijkstra over the links. O(K l log l) for l links.
 * The layered graph: UCNC, arXiv 1805.10527.
 * @returns undefined, with the first block that stopped the search, when the home cannot be reached, for what it may cost
 */
export const cheapestPath = (query: PathQuery): Path | { readonly stuckAt: number } => {
  const { world, model, from, done, home } = query
  const blocks = blocksOf(world, model)
  const search = new LayeredSearch(query)
  search.start(from, done)
  for (let k = done; k <= blocks; k++) {
    search.relaxLinks(k)
    if (k < blocks && !search.relaxBlocks(k)) return { stuckAt: k }
  }
  return search.pathTo(home, blocks) ?? { stuckAt: blocks }
}

/** With fewer devices a search is over before it is worth being clever. */
const MANY = 64
/** Links for each device: with fewer, looking at each is cheaper than avoiding it. */
const DENSE = 16

/** Of the fastest link at the least price of anything: no more than what is sought, and found soon. */
const leastPerByte = ({ world, price }: PathQuery): number => {
  if (world.links.reduce((sum, links) => sum + links.length, 0) < DENSE * world.links.length) return Number.NaN
  let least = Number.POSITIVE_INFINITY
  for (let r = 0; r < world.resources && least > 0; r++) least = Math.min(least, price(r))
  return least / world.fastestRate
}

/** Distances and predecessors of every (blocks done, device), as one flat table each. */
class LayeredSearch {
  readonly #query: PathQuery
  readonly #devices: number
  readonly #cost: Float64Array
  /** The link that led here, or undefined where a block did (or where the search began). */
  readonly #via: (LinkView | undefined)[]
  /** Seconds from now until the cheapest path found is here; only where waiting costs anything. */
  readonly #elapsed: Float64Array
  readonly #settled: Uint8Array
  readonly #heap = new CostHeap()
  /** No byte gets over any link for less; NaN where that is not worth knowing. */
  readonly #leastPerByte: number
  #firstLayer = 0

  constructor(query: PathQuery) {
    this.#query = query
    this.#devices = query.world.devices.length
    const states = this.#devices * (blocksOf(query.world, query.model) + 1)
    this.#cost = new Float64Array(states).fill(Number.POSITIVE_INFINITY)
    this.#elapsed = new Float64Array(query.waiting === undefined ? 0 : states)
    this.#via = new Array<LinkView | undefined>(states)
    this.#settled = new Uint8Array(this.#devices)
    this.#leastPerByte = this.#devices < MANY ? Number.NaN : leastPerByte(query)
  }

  start(device: number, done: number): void {
    this.#cost[done * this.#devices + device] = 0
    this.#firstLayer = done
  }

  relaxLinks(k: number): void {
    const { world, model, price, latencyPrice, atMost = Number.POSITIVE_INFINITY } = this.#query
    const waitingPrice = this.#query.waiting?.price ?? 0
    const size = world.models[model]!.activations[k]!
    const layer = k * this.#devices
    const heap = this.#heap
    this.#settled.fill(0)
    for (let n = 0; n < this.#devices; n++) {
      const cost = this.#cost[layer + n]!
      if (cost < Number.POSITIVE_INFINITY) heap.push(cost, n)
    }
    const step = this.#leastPerByte * size
    let worst = Number.NaN
    for (let here = heap.pop(); here !== -1; here = heap.pop()) {
      if (this.#settled[here] === 1) continue
      this.#settled[here] = 1
      const reached = this.#cost[layer + here]!
      // From here on nobody is reached for less than what everybody has already.
      if (reached + step >= worst) break
      if (!world.devices[here]!.relays && this.#via[layer + here] !== undefined) continue
      for (const link of world.links[here]!) {
        if (this.#settled[link.to] === 1 || !link.up || !world.devices[link.to]!.up) continue
        const takes = size / link.rate
        const wait = this.#wait(layer + here, link.resource)
        const cost = reached + price(link.resource) * takes + latencyPrice * link.latency + wait * waitingPrice
        if (cost < this.#cost[layer + link.to]! && cost <= atMost) {
          this.#cost[layer + link.to] = cost
          this.#pass(layer + here, layer + link.to, wait + takes + link.latency)
          this.#via[layer + link.to] = link
          heap.push(cost, link.to)
        }
      }
      if (!Number.isNaN(step)) worst = this.#worst(layer)
    }
    heap.clear()
  }

  /** What the dearest device of a layer costs by now, and at most what a path may. */
  #worst(layer: number): number {
    let worst = 0
    for (let n = 0; n < this.#devices; n++) worst = Math.max(worst, this.#cost[layer + n]!)
    return Math.min(worst, this.#query.atMost ?? Number.POSITIVE_INFINITY)
  }

  /** @returns false when no device that was reached carries block k and may run it */
  relaxBlocks(k: number): boolean {
    const { world, model, home, price, blockPrice, atMost = Number.POSITIVE_INFINITY } = this.#query
    const waitingPrice = this.#query.waiting?.price ?? 0
    let found = false
    for (let n = 0; n < this.#devices; n++) {
      const reached = this.#cost[k * this.#devices + n]!
      if (reached === Number.POSITIVE_INFINITY || !world.mayRun(n, model, k, home)) continue
      const { resource } = world.devices[n]!
      const takes = world.blockTime(n, model, k)
      const wait = this.#wait(k * this.#devices + n, resource)
      const cost = reached + price(resource) * takes + (blockPrice?.(n, k) ?? 0) + wait * waitingPrice
      if (cost > atMost) continue
      this.#cost[(k + 1) * this.#devices + n] = cost
      this.#pass(k * this.#devices + n, (k + 1) * this.#devices + n, wait + takes)
      found = true
    }
    return found
  }

  #wait(state: number, resource: number): number {
    const { waiting } = this.#query
    return waiting === undefined ? 0 : Math.max(0, waiting.until(resource) - this.#elapsed[state]!)
  }

  #pass(from: number, to: number, takes: number): void {
    if (this.#query.waiting !== undefined) this.#elapsed[to] = this.#elapsed[from]! + takes
  }

  pathTo(home: number, blocks: number): Path | undefined {
    const cost = this.#cost[blocks * this.#devices + home]!
    if (cost === Number.POSITIVE_INFINITY) return undefined
    const visits: { device: number; until: number }[] = [{ device: home, until: blocks }]
    const uses: Use[] = []
    let device = home
    let k = blocks
    while (k > this.#firstLayer || device !== this.#query.from) {
      const link = this.#via[k * this.#devices + device]
      if (link !== undefined) {
        uses.push(this.#transfer(link, k))
        device = link.from
        visits.push({ device, until: k })
      } else {
        k--
        uses.push(this.#run(device, k))
      }
    }
    return { cost, steps: toSteps(visits.reverse(), this.#firstLayer), uses: uses.reverse() }
  }

  #transfer(link: LinkView, k: number): Use {
    const size = this.#query.world.models[this.#query.model]!.activations[k]!
    return { from: link.from, to: link.to, resource: link.resource, seconds: size / link.rate }
  }

  #run(device: number, k: number): Use {
    const { world, model } = this.#query
    const resource = world.devices[device]!.resource
    return { from: device, to: device, resource, seconds: world.blockTime(device, model, k) }
  }
}

/** The first visit is where the task already is; it is a step only if a block runs there, or nothing else remains. */
const toSteps = (visits: readonly Step[], done: number): readonly Step[] => {
  const [first, ...rest] = visits
  return first!.until > done || rest.length === 0 ? visits : rest
}
