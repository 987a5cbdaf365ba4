import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Allowance } from './allowance.ts'
import { setCarried } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { lpText } from './lp-text.ts'
import type { SolveLp } from './solve-lp.ts'

export interface MemoryRelaxation {
  /** No placement serves more than this. */
  readonly upper: number
  /** Share of each block that devices of limited memory carry, by "device model block". */
  readonly shares: ReadonlyMap<string, number>
  readonly flows: readonly { readonly source: number; readonly path: Path; readonly rate: number }[]
}

/**
 * The capacity bound with memory, where a device may carry a share of a block and then serve that share of the model's
 * flow: an upper bound for every real placement, by path columns like the bound without memory.
 *
 *   maximise θ   subject to   Σ_p use_{p,r} x_p <= 1                          (w_r)
 *                             Σ_{p of s} x_p >= θ demand_s                     (μ_s)
 *                             Σ_{p through (n,k)} x_p <= F_nk y_nk             (l_nk)
 *                             Σ_k bytes_k / memory_n y_nk <= 1,  0 <= y <= 1   (g_n, u_nk)
 *
 * F_nk, the most that can flow through block k at n: what the model's sources get at the free bound, or what n can do.
 * At any prices, θ* <= (Σ w + Σ g + Σ max(0, F l - bytes / memory g)) / Σ_s demand_s cheapest_s(w, l).
 * @param free no scale is above, memory aside
 * @param world of this problem; what is carried is set here
 */
export const memoryRelaxation = (
  problem: CapacityProblem,
  free: number,
  solve: SolveLp,
  { world, time }: { readonly world: World; readonly time: Allowance }
): MemoryRelaxation => {
  let found: MemoryRelaxation = { upper: free, shares: new Map(), flows: [] }
  if (!time.mayGoOn()) return found
  const relaxation = new Relaxation(problem, free, world, time)
  relaxation.start()
  for (let round = 0; round < MAX_ROUNDS && time.mayGoOn(); round++) {
    const master = relaxation.solve(solve)
    if (master === undefined) break
    const upper = Math.min(found.upper, relaxation.extend(master))
    found = { upper, shares: master.shares, flows: master.flows }
    if (upper - master.scale <= 1e-4 * upper) break
  }
  return found
}

const MAX_ROUNDS = 200

interface Master {
  readonly scale: number
  readonly shares: ReadonlyMap<string, number>
  readonly flows: MemoryRelaxation['flows']
  /** By row. */
  readonly duals: ReadonlyMap<string, number>
}

interface Column {
  readonly source: number
  readonly path: Path
  /** [device, block] */
  readonly through: readonly (readonly [number, number])[]
}

/** Sums of the same numbers in another order differ by less. */
const ROUNDING = 1 + 1e-9

class Relaxation {
  readonly #problem: CapacityProblem
  readonly #world: World
  readonly #columns: Column[] = []
  /** By source. */
  readonly #of: Column[][] = []
  readonly #known = new Set<string>()
  /** Most data per second of each model. */
  readonly #flow: readonly number[]
  readonly #time: Allowance

  constructor(problem: CapacityProblem, free: number, world: World, time: Allowance) {
    this.#problem = problem
    this.#time = time
    this.#world = world
    setCarried(world, problem, (n, m, k) => problem.models[m]!.weights[k]! <= problem.devices[n]!.memory)
    this.#flow = problem.models.map((_, m) =>
      problem.sources.reduce((sum, { model, demand }) => sum + (model === m ? free * demand : 0), 0)
    )
  }

  start(): void {
    for (const s of this.#problem.sources.keys()) {
      if (!this.#time.mayGoOn()) return
      this.#cheapest(
        s,
        () => 1,
        () => 0
      )
    }
  }

  /** Add each source's cheapest path at these prices. @returns the upper bound that they prove */
  extend({ duals }: Master): number {
    const { devices, models, sources } = this.#problem
    const price = (name: string): number => Math.max(0, duals.get(name) ?? 0)
    let supply = 0
    for (let r = 0; r < this.#world.resources; r++) supply += price(`r${r}`)
    for (const [n, { memory }] of devices.entries()) {
      if (memory === Number.POSITIVE_INFINITY) continue
      const room = price(`g${n}`)
      supply += room
      for (const [m, { weights }] of models.entries()) {
        for (const [k, size] of weights.entries()) {
          if (size > memory) continue
          supply += Math.max(0, this.#most(n, m, k) * price(`l${n}_${m}_${k}`) - this.#part(n, m, k) * room)
        }
      }
    }
    let value = 0
    for (const [s, { demand, model }] of sources.entries()) {
      // Each source makes the bound tighter; those that are left out leave it true.
      if (!this.#time.mayGoOn()) break
      value +=
        demand *
        this.#cheapest(
          s,
          r => price(`r${r}`),
          (n, k) => price(`l${n}_${model}_${k}`)
        )
    }
    return value > 0 ? supply / value : Number.POSITIVE_INFINITY
  }

  /** @returns undefined where the solver gave up */
  solve(solve: SolveLp): Master | undefined {
    const outcome = solve(this.#text(), { timeLimit: Math.max(0.05, this.#time.left()) })
    if (outcome.kind !== 'optimal') return undefined
    const shares = new Map<string, number>()
    for (const [name, value] of outcome.values) {
      if (name.startsWith('y')) shares.set(name.slice(1).replaceAll('_', ' '), value)
    }
    const flows = this.#columns.flatMap(({ source, path }, p) => {
      const rate = outcome.values.get(`x${p}`) ?? 0
      return rate > 1e-12 ? [{ source, path, rate }] : []
    })
    return { scale: outcome.values.get('theta') ?? 0, shares, flows, duals: outcome.duals }
  }

  #most(n: number, m: number, k: number): number {
    return Math.min(this.#flow[m]!, 1 / this.#world.use(n, m, k))
  }

  /** Of the memory of a device that a block takes. */
  #part(n: number, m: number, k: number): number {
    const size = this.#problem.models[m]!.weights[k]!
    return size === 0 ? 0 : size / this.#problem.devices[n]!.memory
  }

  #isLimited(n: number): boolean {
    return this.#problem.devices[n]!.memory !== Number.POSITIVE_INFINITY
  }

  #cheapest(s: number, price: (r: number) => number, blockPrice: (n: number, k: number) => number): number {
    const { device, model } = this.#problem.sources[s]!
    const latencyPrice = seconds(0)
    const atMost = this.#costOfKnown(s, price, blockPrice)
    const path = cheapestPath({
      world: this.#world,
      model,
      from: device,
      done: 0,
      home: device,
      price,
      latencyPrice,
      blockPrice,
      atMost
    })
    if ('stuckAt' in path) return 0
    const key = `${s} ${path.uses.map(use => `${use.from}-${use.to}`).join(' ')}`
    if (!this.#known.has(key)) {
      this.#known.add(key)
      let block = 0
      const through = path.uses.flatMap(({ from, to }) => (from === to ? [[from, block++] as const] : []))
      const column = { source: s, path, through }
      this.#columns.push(column)
      const own = this.#of[s]
      if (own === undefined) this.#of[s] = [column]
      else own.push(column)
    }
    return path.cost
  }

  /** At these prices, of the cheapest path that is known: no other is of interest. */
  #costOfKnown(s: number, price: (r: number) => number, blockPrice: (n: number, k: number) => number): number {
    let least = Number.POSITIVE_INFINITY
    for (const { path, through } of this.#of[s] ?? []) {
      let cost = 0
      for (const use of path.uses) cost += price(use.resource) * use.seconds
      for (const [n, k] of through) cost += blockPrice(n, k)
      least = Math.min(least, cost * ROUNDING)
    }
    return least
  }

  #text(): string {
    const rows = new Map<string, { terms: string[]; bound: string }>()
    const put = (row: string, bound: string, term: string): void => {
      const known = rows.get(row)
      if (known === undefined) rows.set(row, { terms: [term], bound })
      else known.terms.push(term)
    }
    const shares = new Set<string>()
    for (const [p, { source, path, through }] of this.#columns.entries()) {
      const { model } = this.#problem.sources[source]!
      put(`s${source}`, '>= 0', `1 x${p}`)
      const use = new Map<number, number>()
      for (const { resource, seconds: time } of path.uses) use.set(resource, (use.get(resource) ?? 0) + time)
      for (const [resource, time] of use) if (time > 0) put(`r${resource}`, '<= 1', `${time} x${p}`)
      for (const [n, k] of through) {
        if (!this.#isLimited(n)) continue
        put(`l${n}_${model}_${k}`, '<= 0', `1 x${p}`)
        shares.add(`${n}_${model}_${k}`)
      }
    }
    for (const [s, { demand }] of this.#problem.sources.entries()) put(`s${s}`, '>= 0', `- ${demand} theta`)
    for (const share of shares) {
      const [n, m, k] = share.split('_').map(Number) as [number, number, number]
      put(`l${share}`, '<= 0', `- ${this.#most(n, m, k)} y${share}`)
      put(`g${n}`, '<= 1', `${this.#part(n, m, k)} y${share}`)
    }
    return lpText({ objective: 'theta', rows, atMostOne: [...shares].map(share => `y${share}`) })
  }
}
