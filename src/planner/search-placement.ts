import { cheapestPath } from '../core/cheapest-path.ts'
import type { Rng } from '../core/rng.ts'
import { seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Allowance } from './allowance.ts'
import { BlockTable } from './block-table.ts'
import { type CapacityBound, capacityBound, setCarried } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { fastestFirst } from './fastest-first.ts'
import { blocksAt, isPinned, makeRoom } from './make-room.ts'
import type { MemoryRelaxation } from './memory-relaxation.ts'
import { pipelineBlocks } from './pipeline-placement.ts'
import type { SolveLp } from './solve-lp.ts'

export interface FoundPlacement {
  readonly table: BlockTable
  readonly bound: CapacityBound
}

export interface SearchParts {
  readonly problem: CapacityProblem
  readonly solve: SolveLp
  readonly rng: Rng
  /** Of this problem: what is carried is set before each use. */
  readonly world: World
  readonly time: Allowance
  /** For the first placement, without which there is no answer. */
  readonly startTime: Allowance
  /** No placement serves more. */
  readonly upper: number
}

/** Near enough to what no placement exceeds. */
const ENOUGH = 0.005
/** Shakes in a row that found nothing better. */
const PATIENCE = 12
/** Placements are compared by bounds this exact. */
const TOLERANCE = 1e-3
/** Of the search of one pipeline: enough for eight devices that differ. */
const PIPELINE_STATES = 2 ** 13

/**
 * A good placement: those that the relaxation suggests, a plain one and whole models where they fit are compared; the
 * best is improved device by device, guided by the prices of its bound, and now and then shaken, until the time is up
 * or it is as good as can be.
 *
 * @param start the best of the plain ones, where they have been compared already
 */
export const searchPlacement = (
  parts: SearchParts,
  relaxed: MemoryRelaxation,
  start?: FoundPlacement
): FoundPlacement | undefined => {
  const search = new Search(parts)
  search.best = start
  for (const make of start === undefined ? STARTS : [fromRelaxation]) {
    if (search.best === undefined ? !parts.startTime.mayGoOn() : !parts.time.mayGoOn()) break
    search.consider(make(parts.problem, relaxed))
  }
  search.improve()
  let inVain = 0
  while (search.best !== undefined && inVain < PATIENCE && parts.time.mayGoOn() && !search.isGoodEnough()) {
    const { scale } = search.best.bound
    if (!search.shake()) break
    inVain = search.best.bound.scale > scale ? 0 : inVain + 1
  }
  return search.best
}

/** The better of the placements that no relaxation suggests. */
export const plainPlacement = (parts: SearchParts): FoundPlacement | undefined => {
  const search = new Search(parts)
  for (const make of PLAIN) {
    if (search.isGoodEnough() || !(search.best === undefined ? parts.startTime : parts.time).mayGoOn()) break
    search.consider(make(parts.problem))
  }
  return search.best
}

/** The relaxed paths, most used first, as far as memory goes; then the largest shares; then whatever is missing. */
const fromRelaxation = (problem: CapacityProblem, { flows, shares }: MemoryRelaxation): BlockTable => {
  const table = new BlockTable(problem)
  for (const { source, path } of flows.toSorted((a, b) => b.rate - a.rate)) {
    const { model } = problem.sources[source]!
    const trial = table.copy()
    let block = 0
    const fits = path.uses.every(({ from, to }) => from !== to || trial.put(from, model, block++))
    if (!fits) continue
    block = 0
    for (const { from, to } of path.uses) if (from === to) table.put(from, model, block++)
  }
  covered(table, problem)
  for (const [share] of [...shares].sort((a, b) => b[1] - a[1])) {
    const [n, m, k] = share.split(' ').map(Number) as [number, number, number]
    table.put(n, m, k)
  }
  return filled(table, problem)
}

/** Whole models wherever they fit, fastest device first. */
const wholeFirst = (problem: CapacityProblem): BlockTable => {
  const table = new BlockTable(problem)
  for (const n of fastestFirst(problem)) {
    for (const [m, { weights }] of problem.models.entries()) {
      if (weights.reduce((a, b) => a + b, 0) <= table.left(n)) for (const k of weights.keys()) table.put(n, m, k)
    }
  }
  return filled(covered(table, problem), problem)
}

/**
 * The best pipeline of each source, then copies. Unlike the others, it has few crossings for its rate.
 * @param time asked before each source's @returns undefined also where that is over
 */
export const pipelinesFirst = (problem: CapacityProblem, time: Allowance): BlockTable | undefined => {
  const table = pipelineBlocks(problem, { maxStates: PIPELINE_STATES, time })
  return table === undefined ? undefined : filled(covered(table, problem), problem)
}

/**
 * Every block that nobody carries goes somewhere: runs of blocks along the devices, then largest first; a block that is
 * pinned to sources goes to their devices, before all others.
 */
const covered = (table: BlockTable, problem: CapacityProblem): BlockTable => {
  for (const { device, model } of problem.sources) if (isPinned(problem, device, model, 0)) table.put(device, model, 0)
  for (const [m, { work, weights }] of problem.models.entries()) {
    const devices = fastestFirst(problem)
    let at = 0
    for (const k of work.keys()) {
      if (table.copies(m, k) > 0) continue
      while (at < devices.length && !table.put(devices[at]!, m, k)) at++
    }
    const missing = [...work.keys()].filter(k => table.copies(m, k) === 0).sort((a, b) => weights[b]! - weights[a]!)
    for (const k of missing) {
      const roomiest = devices.toSorted((a, b) => table.left(b) - table.left(a))[0]!
      table.put(roomiest, m, k)
    }
  }
  return table
}

/** Memory that is left takes more copies, of the rarest blocks first. */
const filled = (table: BlockTable, problem: CapacityProblem): BlockTable => {
  for (const n of fastestFirst(problem)) {
    const wanted = problem.models.flatMap(({ work }, m) => [...work.keys()].map(k => [m, k] as const))
    wanted.sort(([m, k], [o, l]) => table.copies(m, k) - table.copies(o, l) || m - o || k - l)
    for (const [m, k] of wanted) table.put(n, m, k)
  }
  return table
}

const PLAIN: readonly ((problem: CapacityProblem) => BlockTable)[] = [
  wholeFirst,
  problem => covered(new BlockTable(problem), problem)
]

const STARTS: readonly ((problem: CapacityProblem, relaxed: MemoryRelaxation) => BlockTable)[] = [
  fromRelaxation,
  ...PLAIN
]

class Search {
  readonly #parts: SearchParts
  readonly #world: World
  best: FoundPlacement | undefined

  constructor(parts: SearchParts) {
    this.#parts = parts
    this.#world = parts.world
  }

  isGoodEnough(): boolean {
    return this.best !== undefined && this.best.bound.scale >= (1 - ENOUGH) * this.#parts.upper
  }

  /** @returns whether it is the best so far */
  consider(table: BlockTable): boolean {
    const { problem, solve, time, startTime } = this.#parts
    const warm = this.best?.bound.flows ?? []
    setCarried(this.#world, problem, table.carries)
    const first = this.best === undefined ? startTime : time
    const options = { tolerance: TOLERANCE, warm, world: this.#world, time, startTime: first }
    const outcome = capacityBound(problem, table.carries, solve, options)
    if (outcome.kind !== 'bound') return false
    if (this.best !== undefined && outcome.bound.scale <= this.best.bound.scale * (1 + 1e-6)) return false
    this.best = { table, bound: outcome.bound }
    return true
  }

  improve(): void {
    let better = true
    while (better && this.best !== undefined && !this.isGoodEnough()) {
      better = false
      for (const table of this.#neighbours(this.best)) {
        if (!this.#parts.time.mayGoOn()) return
        if (this.consider(table)) {
          better = true
          break
        }
      }
    }
  }

  /** Empty one or two devices, fill them by the prices, improve from there. @returns false where there is nothing to shake */
  shake(): boolean {
    const { problem, rng, time } = this.#parts
    const limited = [...problem.devices.keys()].filter(n => problem.devices[n]!.memory !== Number.POSITIVE_INFINITY)
    if (limited.length === 0) return false
    const before = this.best!
    const table = before.table.copy()
    const pick = (): number => limited[Math.floor(rng.next() * limited.length)]!
    for (const n of new Set([pick(), pick()])) for (const [m, k] of [...table.of(n)]) table.drop(n, m, k)
    refill(table, problem, rng)
    const trial = new Search(this.#parts)
    if (!trial.consider(table)) return true
    for (let round = 0; round < 3 && time.mayGoOn(); round++) {
      const next = trial.#neighbours(trial.best!)
      let better = false
      for (const neighbour of next.slice(0, 6)) {
        if (!time.mayGoOn()) break
        better = trial.consider(neighbour)
        if (better) break
      }
      if (!better) break
    }
    if (trial.best!.bound.scale > before.bound.scale * (1 + 1e-6)) {
      this.best = trial.best
      this.improve()
    }
    return true
  }

  /**
   * For each device and source: what the cheapest path would be, at the prices of this placement, if the device had all
   * blocks. If it is cheaper than the cheapest now, the device takes the blocks of that path in place of what it uses
   * least. Most promising first.
   */
  #neighbours({ table, bound }: FoundPlacement): BlockTable[] {
    const { problem } = this.#parts
    const now = problem.sources.map((_, s) =>
      this.#parts.time.mayGoOn()
        ? (this.#cheapest(s, bound, table.carries)?.cost ?? Number.POSITIVE_INFINITY)
        : Number.POSITIVE_INFINITY
    )
    const moves: { readonly gain: number; readonly table: BlockTable }[] = []
    for (const [n, { memory }] of problem.devices.entries()) {
      if (memory === Number.POSITIVE_INFINITY) continue
      for (const s of problem.sources.keys()) {
        if (!this.#parts.time.mayGoOn()) break
        const { model } = problem.sources[s]!
        for (const thrift of [0, 0.1, 0.4]) {
          const path = this.#cheapest(s, bound, (d, m, k) => (d === n && m === model) || table.carries(d, m, k), {
            device: n,
            atMost: now[s]!,
            price: k => (table.carries(n, model, k) ? 0 : (thrift * now[s]! * table.size(model, k)) / memory)
          })
          if (path === undefined || path.cost >= now[s]! * (1 - 1e-6)) continue
          const moved = makeRoom(problem, table, bound, n, model, blocksAt(path, n))
          if (moved !== undefined) moves.push({ gain: 1 - path.cost / now[s]!, table: moved })
        }
      }
    }
    return moves.sort((a, b) => b.gain - a.gain).map(move => move.table)
  }

  #cheapest(
    s: number,
    { prices }: CapacityBound,
    carries: (n: number, m: number, k: number) => boolean,
    extra?: { readonly device: number; readonly price: (block: number) => number; readonly atMost: number }
  ) {
    const { problem } = this.#parts
    const { device, model } = problem.sources[s]!
    setCarried(this.#world, problem, carries)
    const path = cheapestPath({
      world: this.#world,
      model,
      from: device,
      done: 0,
      home: device,
      price: r => prices[r]!,
      latencyPrice: seconds(0),
      blockPrice: (n, k) => (extra?.device === n ? extra.price(k) : 0),
      atMost: extra?.atMost ?? Number.POSITIVE_INFINITY
    })
    return 'stuckAt' in path ? undefined : path
  }
}

/** Cover what nobody carries; then runs of blocks from a random place, until memory is full. */
const refill = (table: BlockTable, problem: CapacityProblem, rng: Rng): void => {
  covered(table, problem)
  for (const [n, { memory }] of problem.devices.entries()) {
    if (memory === Number.POSITIVE_INFINITY) continue
    const all = problem.models.flatMap(({ work }, m) => [...work.keys()].map(k => [m, k] as const))
    const from = Math.floor(rng.next() * all.length)
    for (let i = 0; i < all.length; i++) table.put(n, ...all[(from + i) % all.length]!)
  }
}
