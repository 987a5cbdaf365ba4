import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { deviceId, modelId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { type Allowance, UNLIMITED } from './allowance.ts'
import { blockTime } from './block-time.ts'
import type { CapacityProblem, Carries } from './capacity-problem.ts'
import { likelyLinks } from './likely-links.ts'
import type { SolveLp } from './solve-lp.ts'
import { spreadPaths } from './spread-paths.ts'

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
  /** The time was up before every source had a path; nothing can be better than `upper`. */
  | { readonly kind: 'cutOff'; readonly upper: number }

export interface BoundOptions {
  /** Of `worldOf` for this problem, with what is carried set; made anew where it is not given. */
  readonly world?: World
  /** Asked between rounds and paths; the search ends with the gap it has. Default: no limit. */
  readonly time?: Allowance
  /** For a first path of each source, without which there is no answer. Default: no limit. */
  readonly startTime?: Allowance
  /** Stop at this gap. Default: 1e-6. */
  readonly tolerance?: number
  /** Paths that were good for a problem like this one; those that cannot be walked here are left out. */
  readonly warm?: readonly { readonly source: number; readonly path: Path }[]
}

/** Stop when the best plan is this near to what no plan can exceed. */
const TOLERANCE = 1e-6
const MAX_ROUNDS = 500
/** With fewer devices, a way at a time is as soon. */
const MANY = 16
/** Of more devices, ways are spread over likely links; one is as good as the cheapest that costs so much more: the bound is as much higher. */
const VAST = { devices: 300, slack: 0.005 }
/** Seconds: what a small programme needs, also when the time is up. */
const LEAST_SOLVER_TIME = 0.05
/** Used more than this, by the solver's tolerances, a plan is scaled down until it can be. */
const FULL = 1 + 1e-9

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
  { time = UNLIMITED, startTime = UNLIMITED, tolerance = TOLERANCE, warm = [], world: given }: BoundOptions = {}
): BoundOutcome => {
  const world = given ?? worldOf(problem, carries)
  const columns = new Columns(problem, world)
  for (const flow of warm) columns.addKnown(flow.source, flow.path)
  // Any prices prove a bound; these do at once, whatever becomes of the search.
  let upper = workBound(problem)
  const isLarge = warm.length === 0 && problem.devices.length > MANY
  const likely = problem.devices.length > VAST.devices ? likelyLinks(problem, world) : world
  const spread = isLarge ? spreadPaths(problem, likely, { most: upper, time }) : undefined
  for (const { source, path } of spread?.paths ?? []) columns.addKnown(source, path)
  for (const s of problem.sources.keys()) {
    if (columns.has(s) && (isLarge || !time.mayGoOn())) continue
    if (!startTime.mayGoOn()) return { kind: 'cutOff', upper }
    const stuckAt = columns.addCheapest(s, () => 1)
    if (stuckAt !== undefined) return { kind: 'infeasible', source: s, block: stuckAt }
  }
  const prices = spread?.prices ?? new Array<number>(world.resources).fill(1)
  upper = Math.min(upper, columns.priceAndExtend(prices, time))
  for (let round = 0; ; round++) {
    const master = columns.solve(solve, Math.max(LEAST_SOLVER_TIME, time.left()))
    const known = columns.count
    upper = Math.min(upper, columns.priceAndExtend(master.prices, time))
    const gap = Math.max(0, (upper - master.scale) / upper)
    const isExhausted = columns.count === known || round >= MAX_ROUNDS
    const isOver = gap < tolerance || isExhausted || !master.isBest || !time.mayGoOn()
    if (isOver) return { kind: 'bound', bound: { ...master, upper, gap } }
  }
}

/** Every second of every device spent on the blocks that are cheapest there, at prices in proportion to what it does: needs no search. */
const workBound = (problem: CapacityProblem): number => {
  const { devices, models, sources } = problem
  const supply = devices.reduce((sum, { speed, lanes = 1 }) => sum + speed * lanes, 0)
  const cheapest = models.map(({ work }, m) =>
    work.map((_, k) =>
      devices.reduce(
        (least, { speed, lanes = 1 }, n) => Math.min(least, speed * lanes * blockTime(problem, n, m, k)),
        Number.POSITIVE_INFINITY
      )
    )
  )
  const needed = sources.reduce(
    (sum, { model, demand }) => sum + demand * cheapest[model]!.reduce((a, b) => a + b, 0),
    0
  )
  return needed > 0 ? supply / needed : Number.POSITIVE_INFINITY
}

/** The problem as a world, for the path search; resources are numbered as there. */
export const worldOf = (problem: CapacityProblem, carries: Carries): World => {
  const world = new World()
  for (const { name, work, activations, pinned = false } of problem.models)
    world.addModel({ id: modelId(name), work, activations, pinned })
  for (const { name, speed, lanes } of problem.devices) world.addDevice(deviceId(name), speed, lanes)
  for (const [m, { times = [], batch = [] }] of problem.models.entries())
    for (const [n, { lanes = 1 }] of problem.devices.entries())
      for (const k of (times[n] ?? batch[n] ?? []).keys())
        world.setBlockTime(n, m, k, seconds(lanes * blockTime(problem, n, m, k)))
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
  /** Over the paths there are; false where the solver gave up, and another round would be like this one. */
  readonly isBest: boolean
  readonly scale: number
  readonly rates: readonly number[]
  readonly prices: readonly number[]
  readonly use: readonly number[]
  readonly flows: CapacityBound['flows']
}

interface Column {
  readonly source: number
  readonly path: Path
  readonly use: ReadonlyMap<number, number>
  /** Seconds of the resource that it uses most; 1 where it uses none. */
  readonly dearest: number
}

/** Sums of the same numbers in another order differ by less. */
const ROUNDING = 1 + 1e-9
/** What a first path may cost, in times of computing at home: most do. */
const FIRST_GUESSES = [1, 4, 16]

/** The paths found so far, and the restricted master problem over them. */
class Columns {
  readonly #problem: CapacityProblem
  readonly #world: World
  readonly #columns: Column[] = []
  /** By source, in order. */
  readonly #of: Column[][] = []
  readonly #known = new Set<string>()

  readonly #slack: number

  constructor(problem: CapacityProblem, world: World) {
    this.#problem = problem
    this.#world = world
    this.#slack = problem.devices.length > VAST.devices ? VAST.slack : 0
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

  get count(): number {
    return this.#columns.length
  }

  has(source: number): boolean {
    return this.#of[source] !== undefined
  }

  /** Add the cheapest path of each source at these prices. @returns the upper bound that they prove */
  priceAndExtend(prices: readonly number[], time: Allowance): number {
    let value = 0
    for (const [s, { demand }] of this.#problem.sources.entries()) {
      // Each source makes the bound tighter; those that are left out leave it true.
      if (!time.mayGoOn()) break
      const path = this.#cheapest(s, resource => prices[resource]!)
      if ('stuckAt' in path) continue
      value += (demand * path.cost) / (1 + this.#slack)
      this.#add(s, path)
    }
    const supply = prices.reduce((a, b) => a + b, 0)
    return value > 0 ? supply / value : Number.POSITIVE_INFINITY
  }

  solve(solve: SolveLp, timeLimit: number): Master {
    const plain = this.#plain()
    const unit = plain.scale
    const outcome = solve(this.#text(unit), { timeLimit })
    if (outcome.kind !== 'optimal') return plain
    const value = (name: string): number => Math.max(0, outcome.values.get(name) ?? 0)
    const price = (r: number): number => unit * Math.max(0, outcome.duals.get(`r${r}`) ?? 0)
    const flows = this.#columns.flatMap(({ source, path, use, dearest }, p) => {
      const rate = value(`x${p}`) / dearest
      return rate > 0 ? [{ source, path, rate, use }] : []
    })
    const master = this.#master(flows, unit * value('theta'))
    // By its tolerances the solver may miss by more than what is gained.
    return master.scale > 0 ? { ...master, prices: master.use.map((_, r) => price(r)), isBest: true } : plain
  }

  /** Each source by its first path alone. */
  #plain(): Master {
    const flows = this.#problem.sources.map(({ demand }, s) => {
      const { path, use } = this.#of[s]![0]!
      return { source: s, path, use, rate: demand }
    })
    const { use } = this.#master(flows, 1)
    const most = use.reduce((a, b) => Math.max(a, b), 0)
    return this.#master(
      flows.map(flow => ({ ...flow, rate: flow.rate / most })),
      1 / most
    )
  }

  /** What flows like these come to: nothing is used more than all the time, and each source gets its share of the scale. */
  #master(
    flows: readonly (CapacityBound['flows'][number] & { readonly use: ReadonlyMap<number, number> })[],
    wanted: number
  ): Master {
    const { sources } = this.#problem
    const use = new Array<number>(this.#world.resources).fill(0)
    const served = new Array<number>(sources.length).fill(0)
    for (const { source, rate, use: uses } of flows) {
      served[source]! += rate
      for (const [resource, time] of uses) use[resource]! += rate * time
    }
    const most = use.reduce((a, b) => Math.max(a, b), 0)
    const over = most > FULL ? most : 1
    const scale = sources.reduce((least, { demand }, s) => Math.min(least, served[s]! / demand), wanted) / over
    return {
      isBest: false,
      scale,
      rates: sources.map(({ demand }) => scale * demand),
      prices: use.map(() => 0),
      use: over === 1 ? use : use.map(share => share / over),
      flows: flows.map(({ source, path, rate }) => ({ source, path, rate: rate / over }))
    }
  }

  /** A path that is known already says how much one may cost at most: in a large network most of it is then left out. */
  #cheapest(source: number, price: (resource: number) => number): ReturnType<typeof cheapestPath> {
    const { device, model } = this.#problem.sources[source]!
    const world = this.#world
    const search = (atMost: number): ReturnType<typeof cheapestPath> =>
      cheapestPath({
        ...{ world, model, from: device, done: 0, home: device, price, latencyPrice: seconds(0) },
        ...{ atMost, slack: this.#slack }
      })
    const known = this.#of[source] ?? []
    let atMost = Number.POSITIVE_INFINITY
    for (const { use } of known) {
      let cost = 0
      for (const [resource, time] of use) cost += price(resource) * time
      atMost = Math.min(atMost, cost * ROUNDING)
    }
    if (known.length > 0) return search(atMost)
    const alone = this.#timeAtHome(device, model)
    for (const guess of FIRST_GUESSES) {
      const path = search(guess * alone)
      if (!('stuckAt' in path)) return path
    }
    return search(Number.POSITIVE_INFINITY)
  }

  #timeAtHome(device: number, model: number): number {
    const { work } = this.#problem.models[model]!
    return work.reduce((sum, _, k) => sum + this.#world.use(device, model, k), 0)
  }

  #add(source: number, path: Path): void {
    const key = `${source} ${path.uses.map(use => `${use.from}-${use.to}`).join(' ')}`
    if (this.#known.has(key)) return
    this.#known.add(key)
    const use = new Map<number, number>()
    for (const { resource, seconds: time } of path.uses) use.set(resource, (use.get(resource) ?? 0) + time)
    const dearest = [...use.values()].reduce((a, b) => Math.max(a, b), 0)
    const column = { source, path, use, dearest: dearest > 0 ? dearest : 1 }
    this.#columns.push(column)
    const own = this.#of[source]
    if (own === undefined) this.#of[source] = [column]
    else own.push(column)
  }

  /**
   * In CPLEX LP text; rows that no column touches are left out. A path's column counts in shares of the resource that it
   * uses most, and theta in units of what is served by one path a source, so that the solver sees numbers near 1 whatever
   * the units of the problem: it takes those below 1e-9 for 0.
   */
  #text(unit: number): string {
    const rows = new Map<string, string[]>()
    const put = (row: string, term: string): void => {
      const terms = rows.get(row)
      if (terms === undefined) rows.set(row, [term])
      else terms.push(term)
    }
    for (const [p, { source, use, dearest }] of this.#columns.entries()) {
      put(`s${source}`, `${1 / dearest / (unit * this.#problem.sources[source]!.demand)} x${p}`)
      for (const [resource, time] of use) put(`r${resource}`, `${time / dearest} x${p}`)
    }
    const lines = [...rows].map(([row, terms]) =>
      row.startsWith('r') ? ` ${row}: ${wrap(terms)} <= 1` : ` ${row}: ${wrap([...terms, '-1 theta'])} >= 0`
    )
    return ['Maximize', ' obj: theta', 'Subject To', ...lines, 'End'].join('\n')
  }
}

/** Terms joined by plus, a few to a line: solvers limit the length of a line. */
const wrap = (terms: readonly string[]): string =>
  terms
    .map((term, i) => `${i === 0 ? '' : term.startsWith('-') ? ' ' : ' + '}${term}${i % 8 === 7 ? '\n' : ''}`)
    .join('')
