import { CostHeap } from './cost-heap.ts'
import { costOfDetour } from './cost-of-detour.ts'
import { LeastLeft } from './least-left.ts'
import type { PathQuery } from './path-query.ts'
import { blocksOf } from './progress.ts'
import { runPrice } from './run-price.ts'
import type { Step } from './step.ts'
import type { Seconds } from './units.ts'
import { waitToRun } from './wait-to-run.ts'
import type { LinkView, World } from './world.ts'

/** Use of one resource by the path. */
export interface Use {
  readonly from: number
  readonly to: number
  readonly resource: number
  /** Of the resource's time. */
  readonly seconds: number
  /** Of the datum's: more, where a device has several lanes. */
  readonly takes: number
}

export interface Path {
  readonly cost: number
  readonly steps: readonly Step[]
  readonly uses: readonly Use[]
}

/**
 * The cheapest way to finish a datum: one shortest path in the layered graph of (device, blocks done), from
 * (from, done) to (home, K). Edges: run the next block where it is carried, at price(worker) per second of the worker (of a lane:
 * run-price.ts); carry the activation over a link, at price(link) per second of transfer plus the price of its latency. A* (Hart, Nilsson and Raphael,
 * 1968): what is left costs at least the least price times the least time of each block, and where running all of it here is
 * possible, no dearer path is looked at. Where the least price is near the prices, only devices near the path are. Among many
 * devices that are linked to many, what is left is bounded for each (least-left.ts), and no path is looked at that is dearer than
 * the best one over one other device (cost-of-detour.ts).
 * The layered graph: UCNC, arXiv 1805.10527.
 * @returns undefined, with the first block that stopped the search, when the home cannot be reached, for what it may cost
 */
export const cheapestPath = (query: PathQuery): Path | { readonly stuckAt: number } => {
  const search = new LayeredSearch(query)
  const path = search.run()
  if (path !== undefined || !search.isBounded) return path ?? { stuckAt: search.deepest }
  // Where waiting costs something, what gets somewhere for less may wait longer later: the way that bounded the search was lost.
  const again = new LayeredSearch(query, false)
  return again.run() ?? { stuckAt: again.deepest }
}

/**
 * Costs and predecessors of every (blocks done, device), as one flat table each, kept from search to search: a state counts
 * only with the number of the search that reached it. A search is over before another begins.
 */
const scratch = {
  search: 0,
  cost: new Float64Array(0),
  /** Seconds from now until the cheapest path found is here; only where waiting costs anything. */
  elapsed: new Float64Array(0),
  /** The link that led here, or undefined where a block did (or where the search began). */
  via: [] as (LinkView | undefined)[],
  reachedBy: new Float64Array(0),
  settledBy: new Float64Array(0),
  heap: new CostHeap(),
  /** Nobody is reached for more with so many blocks done, where that is worth knowing. */
  worst: new Float64Array(0),
  /** What is left costs at least, by blocks done. */
  left: new Float64Array(0),
  /** The same, by state, where that is worth knowing. */
  leastLeft: new LeastLeft()
}

const makeRoom = (states: number, layers: number): void => {
  if (scratch.left.length < layers) {
    scratch.left = new Float64Array(layers)
    scratch.worst = new Float64Array(layers)
  }
  if (scratch.cost.length >= states) return
  scratch.cost = new Float64Array(states)
  scratch.elapsed = new Float64Array(states)
  scratch.via = new Array<LinkView | undefined>(states)
  scratch.reachedBy = new Float64Array(states)
  scratch.settledBy = new Float64Array(states)
}

class LayeredSearch {
  readonly #query: PathQuery
  readonly #devices: number
  readonly #blocks: number
  readonly #waitingPrice: number
  readonly #id: number
  /** No byte gets over any link for less. */
  readonly #leastPerByte: number
  readonly #isDense: boolean
  /** Of what is left: with more than 1, whoever is nearer to the end goes first (Pohl, 1970). */
  readonly #weight: number
  /** No path that costs more is looked at. */
  #atMost: number
  /** Whether that is because a path is known. */
  isBounded = false
  /** Blocks done where the search came furthest. */
  deepest: number

  /** @param mayBound by paths that are known beforehand */
  constructor(query: PathQuery, mayBound = true) {
    const { world, model, done, waiting, atMost = Number.POSITIVE_INFINITY } = query
    this.#query = query
    this.#devices = world.devices.length
    this.#blocks = blocksOf(world, model)
    this.#waitingPrice = waiting?.price ?? 0
    this.#atMost = atMost
    this.#weight = 1 + (query.slack ?? 0)
    this.deepest = done
    this.#leastPerByte = (query.leastPrice ?? 0) / world.fastestRate
    this.#isDense = isDense(world)
    makeRoom(this.#devices * (this.#blocks + 1), this.#blocks + 1)
    this.#id = ++scratch.search
    scratch.worst.fill(Number.POSITIVE_INFINITY, done, this.#blocks + 1)
    if (this.#isDense) scratch.leastLeft.of(query)
    else this.#boundWhatIsLeft()
    if (mayBound) this.#boundByKnownPaths()
  }

  #boundByKnownPaths(): void {
    // With slack the end is near before much is looked at.
    const mayDetour = this.#isDense && this.#weight === 1
    const detour = mayDetour ? costOfDetour(this.#query, scratch.leastLeft) : Number.POSITIVE_INFINITY
    const known = Math.min(this.#costOfStaying(), detour)
    this.isBounded = known / SURELY < this.#atMost
    if (this.isBounded) this.#atMost = known / SURELY
  }

  #boundWhatIsLeft(): void {
    const { world, model, done, leastPrice = 0, takes } = this.#query
    const { left } = scratch
    const knowsLeast = leastPrice > 0 && takes === undefined
    left[this.#blocks] = 0
    for (let k = this.#blocks - 1; k >= done; k--)
      left[k] = left[k + 1]! + (knowsLeast ? SURELY * leastPrice * world.leastTimes(model)[k]! : 0)
  }

  run(): Path | undefined {
    const { from, done, home } = this.#query
    const { heap, settledBy } = scratch
    heap.clear()
    this.#reach(done * this.#devices + from, 0, 0, done, undefined)
    const end = this.#blocks * this.#devices + home
    for (let state = heap.pop(); state !== -1; state = heap.pop()) {
      if (state === end) return this.#pathTo(home)
      if (settledBy[state] === this.#id) continue
      settledBy[state] = this.#id
      const k = Math.floor(state / this.#devices)
      const device = state - k * this.#devices
      if (k < this.#blocks) this.#runBlock(state, device, k)
      this.#sendOn(state, device, k)
    }
    return undefined
  }

  /** Of running everything that is left where the datum is, if that is its home. */
  #costOfStaying(): number {
    const { world, model, from, done, home, blockPrice } = this.#query
    if (from !== home) return Number.POSITIVE_INFINITY
    const price = runPrice(this.#query, from)
    let cost = 0
    let elapsed = 0
    for (let k = done; k < this.#blocks; k++) {
      if (!world.mayRun(from, model, k, home)) return Number.POSITIVE_INFINITY
      const takes = this.#takes(from, k)
      const wait = waitToRun(this.#query, from, takes, elapsed)
      cost += price * takes + (blockPrice?.(from, k) ?? 0) + wait * this.#waitingPrice
      elapsed += wait + takes
    }
    return cost
  }

  #runBlock(state: number, device: number, k: number): void {
    const { world, model, home, blockPrice } = this.#query
    if (!world.mayRun(device, model, k, home)) return
    const takes = this.#takes(device, k)
    const wait = waitToRun(this.#query, device, takes, scratch.elapsed[state]!)
    const cost =
      scratch.cost[state]! +
      runPrice(this.#query, device) * takes +
      (blockPrice?.(device, k) ?? 0) +
      wait * this.#waitingPrice
    this.#reach(state + this.#devices, cost, scratch.elapsed[state]! + wait + takes, k + 1, undefined)
  }

  #sendOn(state: number, here: number, k: number): void {
    const { world, model, price, latencyPrice, linkPrice, leastPrice = 0 } = this.#query
    if (!world.devices[here]!.relays && scratch.via[state] !== undefined) return
    const size = world.models[model]!.activations[k]!
    const reached = scratch.cost[state]!
    // Who has got so far for less came before: from here on nobody is reached for less than what everybody has already.
    if (reached + this.#leastPerByte * size >= scratch.worst[k]!) return
    const layer = k * this.#devices
    const { leastLeft } = scratch
    if (this.#isDense && reached + SURELY * leastLeft.leave[state]! > this.#atMost) return
    for (const link of world.links[here]!) {
      if (!link.up || !world.devices[link.to]!.up || scratch.settledBy[layer + link.to] === this.#id) continue
      const takes = size / link.rate
      if (this.#isDense && reached + leastPrice * takes + SURELY * leastLeft.left[layer + link.to]! > this.#atMost)
        continue
      const wait = this.#wait(state, link.resource)
      const uses = price(link.resource) * takes + latencyPrice * link.latency + (linkPrice?.(link) ?? 0)
      const cost = reached + uses + wait * this.#waitingPrice
      this.#reach(layer + link.to, cost, scratch.elapsed[state]! + wait + takes + link.latency, k, link)
    }
    if (this.#isDense) scratch.worst[k] = this.#worst(layer)
  }

  /** Nobody in a layer is worth reaching for more: each has what it has, or may cost what a path may without what is left. */
  #worst(layer: number): number {
    const { left } = scratch.leastLeft
    let worst = 0
    for (let state = layer; state < layer + this.#devices; state++) {
      if (scratch.settledBy[state] === this.#id) continue
      const useful = this.#atMost - SURELY * left[state]!
      worst = Math.max(worst, scratch.reachedBy[state] === this.#id ? Math.min(useful, scratch.cost[state]!) : useful)
    }
    return worst
  }

  #reach(state: number, cost: number, elapsed: number, done: number, via: LinkView | undefined): void {
    const left = this.#isDense ? SURELY * scratch.leastLeft.left[state]! : scratch.left[done]!
    if (cost + left > this.#atMost) return
    // What is settled stays: with slack, a cheaper way may come later.
    if (scratch.settledBy[state] === this.#id) return
    if (scratch.reachedBy[state] === this.#id) {
      const known = scratch.cost[state]!
      if (cost > known || (cost === known && !this.#isBefore(via, scratch.via[state], done))) return
    }
    scratch.reachedBy[state] = this.#id
    scratch.cost[state] = cost
    scratch.elapsed[state] = elapsed
    scratch.via[state] = via
    if (done > this.deepest) this.deepest = done
    scratch.heap.push(cost + this.#weight * left, state)
  }

  /** Of two ways that cost the same: a block before a link, of two links that of the device which was reached for less. */
  #isBefore(via: LinkView | undefined, known: LinkView | undefined, done: number): boolean {
    if (via === undefined || known === undefined) return known !== undefined
    const layer = done * this.#devices
    const more = scratch.cost[layer + via.from]! - scratch.cost[layer + known.from]!
    return more < 0 || (more === 0 && via.from < known.from)
  }

  #wait(state: number, resource: number): number {
    const { waiting } = this.#query
    return waiting === undefined ? 0 : Math.max(0, waiting.until(resource) - scratch.elapsed[state]!)
  }

  #pathTo(home: number): Path {
    const { from, done } = this.#query
    const visits: { device: number; until: number }[] = [{ device: home, until: this.#blocks }]
    const uses: Use[] = []
    let device = home
    let k = this.#blocks
    while (k > done || device !== from) {
      const link = scratch.via[k * this.#devices + device]
      if (link !== undefined) {
        uses.push(this.#transfer(link, k))
        device = link.from
        visits.push({ device, until: k })
      } else {
        k--
        uses.push(this.#use(device, k))
      }
    }
    const cost = scratch.cost[this.#blocks * this.#devices + home]!
    return { cost, steps: toSteps(visits.reverse(), done), uses: uses.reverse() }
  }

  #transfer(link: LinkView, k: number): Use {
    const size = this.#query.world.models[this.#query.model]!.activations[k]!
    const takes = size / link.rate
    return { from: link.from, to: link.to, resource: link.resource, seconds: takes, takes }
  }

  #use(device: number, k: number): Use {
    const { resource, lanes } = this.#query.world.devices[device]!
    const takes = this.#takes(device, k)
    return { from: device, to: device, resource, seconds: takes / lanes, takes }
  }

  #takes(device: number, k: number): Seconds {
    const { world, model, takes } = this.#query
    return takes === undefined ? world.blockTime(device, model, k) : takes(device, k)
  }
}

/** Links for each device: with fewer, looking at each is cheaper than avoiding it. */
const DENSE = 16
/** With fewer devices a search is over before it is worth being clever. */
const MANY = 32

const isDense = ({ links, devices }: World): boolean => (links[0]?.length ?? 0) >= DENSE && devices.length > MANY

/** What is a bound on paper may be off by the last digit. */
const SURELY = 1 - 1e-9

/** The first visit is where the task already is; it is a step only if a block runs there, or nothing else remains. */
const toSteps = (visits: readonly Step[], done: number): readonly Step[] => {
  const [first, ...rest] = visits
  return first!.until > done || rest.length === 0 ? visits : rest
}
