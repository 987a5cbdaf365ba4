import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { deviceId, modelId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import type { SolveLp } from './solve-lp.ts'

export interface CapacityBound {
  /** The largest common factor on all demands that the network can serve, to within `gap`. */
  readonly scale: number
  /** No plan can be better than this: weak duality at the best prices found. */
  readonly upper: number
  /** (upper - scale) / upper. */
  readonly gap: number
  /** Data per second of each source at `scale`. */
  readonly rates: readonly number[]
  /** Shadow price of each resource: by how much the scale grows for one more of it. */
  readonly prices: readonly number[]
  /** Share of its time that each resource is used at `scale`. */
  readonly use: readonly number[]
  /** Which paths carry which rate. */
  readonly flows: readonly { readonly source: number; readonly path: Path; readonly rate: number }[]
}

export type BoundOutcome =
  | { readonly kind: 'bound'; readonly bound: CapacityBound }
  /** Some source cannot be served at all. */
  | { readonly kind: 'infeasible'; readonly source: number; readonly block: number }

export interface BoundOptions {
  /** Of `worldOf` for this problem, with what is carried set; made anew where it is not given. */
  readonly world?: World
  /** Asked between rounds; false ends the search with the gap it has. */
  readonly mayGoOn?: () => boolean
  /** Stop at this gap. Default: 1e-6. */
  readonly tolerance?: number
  /** Paths that were good for a problem like this one; those that cannot be walked here are left out. */
  readonly warm?: readonly { readonly source: number; readonly path: Path }[]
}

/** Stop when the best plan is this near to what no plan can exceed. */
const TOLERANCE = 1e-6
const MAX_ROUNDS = 500

/**
 * The largest θ such that all sources together can be served at θ times their demand: DESIGN's arc-flow programme over
 * the layered graph of (device, blocks done), solved by its paths (Dantzig and Wolfe, 1960).
 *
 *   maximise θ   subject to   Σ_{p of s} x_p >= θ demand_s   for each source s      (dual μ_s)
 *                             Σ_p use_{p,r} x_p <= 1         for each resource r    (dual w_r)
 *
 * A path that is cheaper than μ_s at prices w improves the plan, and the cheapest is one search of the layered graph.
 * At any prices w >= 0, θ* <= Σ_r w_r / Σ_s demand_s · cheapest_s(w): so there is always an upper bound too.
 *
 * @param carries which blocks may run where; everything everywhere gives the bound without memory
 */
export const capacityBound = (
  problem: CapacityProblem,
  carries: Carries,
  solve: SolveLp,
  { mayGoOn = () => true, tolerance = TOLERANCE, warm = [], world: given }: BoundOptions = {}
): BoundOutcome => {
  const world = given ?? worldOf(problem, carries)
  const columns = new Columns(problem, world)
  for (const flow of warm) columns.addKnown(flow.source, flow.path)
  for (const s of problem.sources.keys()) {
    const stuckAt = columns.addCheapest(s, () => 1)
    if (stuckAt !== undefined) return { kind: 'infeasible', source: s, block: stuckAt }
  }
  // Any prices prove a bound; these do at once, whatever becomes of the search.
  let upper = columns.priceAndExtend(new Array<number>(world.resources).fill(1))
  for (let round = 0; ; round++) {
    const master = columns.solve(solve)
    upper = Math.min(upper, columns.priceAndExtend(master.prices))
    const gap = Math.max(0, (upper - master.scale) / upper)
    if (gap < tolerance || round >= MAX_ROUNDS || !mayGoOn()) return { kind: 'bound', bound: { ...master, upper, gap } }
  }
}

/** The problem as a world, for the path search; resources are numbered as there. */
export const worldOf = (problem: CapacityProblem, carries: Carries): World => {
  const world = new World()
  for (const { name, work, activations, pinned = false } of problem.models)
    world.addModel({ id: modelId(name), work, activations, pinned })
  for (const { name, speed } of problem.devices) world.addDevice(deviceId(name), speed)
  for (const [m, { times }] of problem.models.entries())
    for (const [n, of] of times?.entries() ?? [])
      for (const [k, time] of of?.entries() ?? []) world.setBlockTime(n, m, k, time)
  const media = new Map<number, number>()
  for (const { from, to, rate, latency, medium } of problem.links) {
    if (medium !== undefined && !media.has(medium)) media.set(medium, world.addMedium())
    world.setLink(from, to, rate, latency, medium === undefined ? undefined : media.get(medium))
  }
  setCarried(world, problem, carries)
  return world
}

/** Set what is carried in a world of `worldOf`. */
export const setCarried = (world: World, problem: CapacityProblem, carries: Carries): void => {
  for (const n of problem.devices.keys()) {
    for (const [m, { work }] of problem.models.entries()) {
      for (const k of work.keys()) world.setCarried(n, m, k, carries(n, m, k))
    }
  }
}

interface Master {
  readonly scale: number
  readonly rates: readonly number[]
  readonly prices: readonly number[]
  readonly use: readonly number[]
  readonly flows: CapacityBound['flows']
}

/** The paths found so far, and the restricted master problem over them. */
class Columns {
  readonly #problem: CapacityProblem
  readonly #world: World
  readonly #columns: { readonly source: number; readonly path: Path; readonly use: ReadonlyMap<number, number> }[] = []
  readonly #known = new Set<string>()

  constructor(problem: CapacityProblem, world: World) {
    this.#problem = problem
    this.#world = world
  }

  /** @returns the block that stopped the search, or undefined */
  addCheapest(source: number, price: (resource: number) => number): number | undefined {
    const path = this.#cheapest(source, price)
    if ('stuckAt' in path) return path.stuckAt
    this.#add(source, path)
    return undefined
  }

  addKnown(source: number, path: Path): void {
    const { model, device } = this.#problem.sources[source]!
    let block = 0
    for (const { from, to } of path.uses) if (from === to && !this.#world.mayRun(from, model, block++, device)) return
    this.#add(source, path)
  }

  /** Add the cheapest path of each source at these prices. @returns the upper bound that they prove */
  priceAndExtend(prices: readonly number[]): number {
    let value = 0
    for (const [s, { demand }] of this.#problem.sources.entries()) {
      const path = this.#cheapest(s, resource => prices[resource]!)
      if ('stuckAt' in path) continue
      value += demand * path.cost
      this.#add(s, path)
    }
    const supply = prices.reduce((a, b) => a + b, 0)
    return value > 0 ? supply / value : Number.POSITIVE_INFINITY
  }

  solve(solve: SolveLp): Master {
    const outcome = solve(this.#text())
    if (outcome.kind !== 'optimal')
      throw new Error(`the restricted master problem is ${outcome.kind}: ${outcome.because}`)
    const value = (name: string): number => Math.max(0, outcome.values.get(name) ?? 0)
    const price = (r: number): number => Math.max(0, outcome.duals.get(`r${r}`) ?? 0)
    const use = new Array<number>(this.#world.resources).fill(0)
    const flows = this.#columns.flatMap(({ source, path, use: uses }, p) => {
      const rate = value(`x${p}`)
      if (rate <= 0) return []
      for (const [resource, time] of uses) use[resource]! += rate * time
      return [{ source, path, rate }]
    })
    const scale = value('theta')
    return {
      scale,
      rates: this.#problem.sources.map(({ demand }) => scale * demand),
      prices: use.map((_, r) => price(r)),
      use,
      flows
    }
  }

  #cheapest(source: number, price: (resource: number) => number): ReturnType<typeof cheapestPath> {
    const { device, model } = this.#problem.sources[source]!
    return cheapestPath({
      world: this.#world,
      model,
      from: device,
      done: 0,
      home: device,
      price,
      latencyPrice: seconds(0)
    })
  }

  #add(source: number, path: Path): void {
    const key = `${source} ${path.uses.map(use => `${use.from}-${use.to}`).join(' ')}`
    if (this.#known.has(key)) return
    this.#known.add(key)
    const use = new Map<number, number>()
    for (const { resource, seconds: time } of path.uses) use.set(resource, (use.get(resource) ?? 0) + time)
    this.#columns.push({ source, path, use })
  }

  /** In CPLEX LP text; rows that no column touches are left out. */
  #text(): string {
    const rows = new Map<number, string[]>()
    for (const [p, { use }] of this.#columns.entries()) {
      for (const [resource, time] of use) rows.set(resource, [...(rows.get(resource) ?? []), `${time} x${p}`])
    }
    const resources = [...rows].map(([r, terms]) => ` r${r}: ${wrap(terms)} <= 1`)
    const sources = this.#problem.sources.map(({ demand }, s) => {
      const terms = this.#columns.flatMap(({ source }, p) => (source === s ? [`1 x${p}`] : []))
      return ` s${s}: ${wrap([...terms, `-${demand} theta`])} >= 0`
    })
    return ['Maximize', ' obj: theta', 'Subject To', ...resources, ...sources, 'End'].join('\n')
  }
}

/** Terms joined by plus, a few to a line: solvers limit the length of a line. */
const wrap = (terms: readonly string[]): string =>
  terms
    .map((term, i) => `${i === 0 ? '' : term.startsWith('-') ? ' ' : ' + '}${term}${i % 8 === 7 ? '\n' : ''}`)
    .join('')
