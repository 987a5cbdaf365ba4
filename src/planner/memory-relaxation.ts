import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import { seconds } from '../core/units.ts'
import { worldOf } from './capacity-bound.ts'
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
 *                             Σ_k bytes_k y_nk <= memory_n,  0 <= y <= 1       (g_n, u_nk)
 *
 * F_nk, the most that can flow through block k at n: what the model's sources get at the free bound, or what n can do.
 * At any prices, θ* <= (Σ w + Σ memory g + Σ max(0, F l - bytes g)) / Σ_s demand_s cheapest_s(w, l).
 * @param free scale of the bound without memory
 */
export const memoryRelaxation = (
  problem: CapacityProblem,
  free: number,
  solve: SolveLp,
  mayGoOn: () => boolean
): MemoryRelaxation => {
  const relaxation = new Relaxation(problem, free)
  relaxation.start()
  let upper = free
  for (let round = 0; ; round++) {
    const master = relaxation.solve(solve)
    upper = Math.min(upper, relaxation.extend(master))
    if (upper - master.scale <= 1e-4 * upper || round > 200 || !mayGoOn())
      return { upper, shares: master.shares, flows: master.flows }
  }
}

interface Master {
  readonly scale: number
  readonly shares: ReadonlyMap<string, number>
  readonly flows: MemoryRelaxation['flows']
  /** By row. */
  readonly duals: ReadonlyMap<string, number>
}

/** Rows of memory in MiB: numbers of one size are easier on the solver. */
const MEBIBYTE = 2 ** 20

class Relaxation {
  readonly #problem: CapacityProblem
  readonly #world: ReturnType<typeof worldOf>
  readonly #columns: {
    readonly source: number
    readonly path: Path
    readonly through: readonly (readonly [number, number])[]
  }[] = []
  readonly #known = new Set<string>()
  /** Most data per second of each model. */
  readonly #flow: readonly number[]

  constructor(problem: CapacityProblem, free: number) {
    this.#problem = problem
    this.#world = worldOf(problem, (n, m, k) => problem.models[m]!.weights[k]! <= problem.devices[n]!.memory)
    this.#flow = problem.models.map((_, m) =>
      problem.sources.reduce((sum, { model, demand }) => sum + (model === m ? free * demand : 0), 0)
    )
  }

  start(): void {
    for (const s of this.#problem.sources.keys())
      this.#cheapest(
        s,
        () => 1,
        () => 0
      )
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
      supply += (memory / MEBIBYTE) * room
      for (const [m, { work, weights }] of models.entries()) {
        for (const k of work.keys()) {
          supply += Math.max(0, this.#most(n, m, k) * price(`l${n}_${m}_${k}`) - (weights[k]! / MEBIBYTE) * room)
        }
      }
    }
    let value = 0
    for (const [s, { demand, model }] of sources.entries()) {
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

  solve(solve: SolveLp): Master {
    const outcome = solve(this.#text())
    if (outcome.kind !== 'optimal') throw new Error(`the relaxation is ${outcome.kind}: ${outcome.because}`)
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
    return Math.min(this.#flow[m]!, 1 / this.#world.blockTime(n, m, k))
  }

  #isLimited(n: number): boolean {
    return this.#problem.devices[n]!.memory !== Number.POSITIVE_INFINITY
  }

  #cheapest(s: number, price: (r: number) => number, blockPrice: (n: number, k: number) => number): number {
    const { device, model } = this.#problem.sources[s]!
    const latencyPrice = seconds(0)
    const path = cheapestPath({
      world: this.#world,
      model,
      from: device,
      done: 0,
      home: device,
      price,
      latencyPrice,
      blockPrice
    })
    if ('stuckAt' in path) return 0
    const key = `${s} ${path.uses.map(use => `${use.from}-${use.to}`).join(' ')}`
    if (!this.#known.has(key)) {
      this.#known.add(key)
      let block = 0
      const through = path.uses.flatMap(({ from, to }) => (from === to ? [[from, block++] as const] : []))
      this.#columns.push({ source: s, path, through })
    }
    return path.cost
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
      put(
        `g${n}`,
        `<= ${this.#problem.devices[n]!.memory / MEBIBYTE}`,
        `${this.#problem.models[m]!.weights[k]! / MEBIBYTE} y${share}`
      )
    }
    return lpText({ objective: 'theta', rows, atMostOne: [...shares].map(share => `y${share}`) })
  }
}
