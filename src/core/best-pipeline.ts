import { equalDevices, isNear } from './equal-devices.ts'
import type { Step } from './step.ts'
import { type TransferTree, transferTree } from './transfer-tree.ts'
import type { World } from './world.ts'

export interface PipelineQuery {
  readonly world: World
  readonly model: number
  /** Where the datum is, with so many blocks done, and where its result must go. */
  readonly from: number
  readonly done: number
  readonly home: number
  /** Who may take a block. Default: who carries it and may run it. */
  readonly mayTake?: (device: number, block: number) => boolean
  /** Where blocks have yet to be loaded: bytes that a device has left, and those that a block needs of them. */
  readonly room?: {
    readonly left: (device: number) => number
    readonly needs: (device: number, block: number) => number
  }
  /** Entries of the programme's table, at most: beyond that only some devices are considered. */
  readonly maxStates?: number
}

export interface Pipeline {
  readonly stages: readonly Step[]
  /** Seconds of the slowest stage or transfer: a datum comes home every so often. */
  readonly bottleneck: number
  /** Seconds of one datum, unloaded. */
  readonly takes: number
}

/** 24 bytes each. */
const MAX_STATES = 2 ** 21
/** Visits of a state by the next stage's last block, at most, before any of them is pruned. */
const MAX_VISITS = 1e9
/** Where not all devices can be considered, those that differ by so little are taken for equal. */
const NEARLY = 0.05
/** Sums in another order differ in their last digits. */
const SLACK = 1 + 1e-9
/** Times what no pipeline can beat: within each of these limits in turn a pipeline is looked for. */
const LIMITS = [1.02, 1.1, 1.3, 2, 4, 16, Number.POSITIVE_INFINITY]

/**
 * The pipeline over devices, each of which comes once with a run of blocks, whose slowest stage, computing or sending, is
 * fastest; among those, the one that is fastest through. PipeEdge's dynamic programme (Hu et al., arXiv 2110.14895) over
 * (blocks done, devices used, last device), where devices that are equal are only counted: its size is the product of the
 * sizes of the groups, not 2 to the number of devices. Sending to a device that is no neighbour counts as the slowest hop of
 * the way there; the ways from the datum to the first stage and home from the last count too.
 *
 * Where that is too large even so, only some devices are considered: first those that cover the blocks with fewest
 * devices, then the fastest.
 * @returns undefined where no pipeline exists over the devices considered
 */
export const bestPipeline = (query: PipelineQuery): Pipeline | undefined => {
  const candidates = groupedCandidates(query)
  if (candidates.length === 0) return undefined
  const search = new PipelineSearch(query, candidates)
  const bottleneck = search.leastBottleneck()
  return bottleneck === undefined ? undefined : search.shortestWithin(bottleneck)
}

const mayTakeOf = ({ world, model, home, mayTake }: PipelineQuery): ((device: number, block: number) => boolean) =>
  mayTake ?? ((n, k) => world.mayRun(n, model, k, home))

/** Equal devices together, as many as the table has room for. */
const groupedCandidates = (query: PipelineQuery): readonly (readonly number[])[] => {
  const ranked = rankedDevices(query)
  const exact = withinBudget(query, ranked, equalDevices(query.world, ranked, isAlike(query, 1e-12), 1e-12))
  if (exact.flat().length === ranked.length) return exact
  const nearly = withinBudget(query, ranked, equalDevices(query.world, ranked, isAlike(query, NEARLY), NEARLY))
  return nearly.flat().length > exact.flat().length ? nearly : exact
}

/** Those that cover the blocks that remain, most at a time, ties to the faster; then the fastest. */
const rankedDevices = (query: PipelineQuery): readonly number[] => {
  const { world, model, from, done } = query
  const mayTake = mayTakeOf(query)
  const left = [...world.models[model]!.work.keys()].slice(done)
  const timeOf = (n: number): number => left.reduce((sum, k) => sum + world.blockTime(n, model, k), 0)
  const takers = [...world.devices.keys()]
    .filter(n => world.devices[n]!.up && left.some(k => mayTake(n, k)))
    .map(n => ({ n, time: timeOf(n) }))
    .sort((a, b) => a.time - b.time || Number(b.n === from) - Number(a.n === from) || a.n - b.n)
    .map(({ n }) => n)
  const chosen = new Set<number>()
  const missing = new Set(left)
  const gain = (n: number): number => left.filter(k => missing.has(k) && mayTake(n, k)).length
  while (missing.size > 0 && takers.length > chosen.size) {
    const next = takers.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    if (gain(next) === 0) break
    chosen.add(next)
    for (const k of left) if (mayTake(next, k)) missing.delete(k)
  }
  return [...chosen, ...takers.filter(n => !chosen.has(n))]
}

const isAlike = (query: PipelineQuery, tolerance: number) => {
  const { world, model, from, home, done, room } = query
  const mayTake = mayTakeOf(query)
  const blocks = world.models[model]!.work.length
  return (a: number, b: number): boolean => {
    // The ways to and from these two are no other device's.
    if ([a, b].some(n => n === from || n === home)) return false
    if (room !== undefined && room.left(a) !== room.left(b)) return false
    for (let k = done; k < blocks; k++) {
      if (mayTake(a, k) !== mayTake(b, k)) return false
      if (mayTake(a, k) && !isNear(world.blockTime(a, model, k), world.blockTime(b, model, k), tolerance)) return false
      if (room !== undefined && room.needs(a, k) !== room.needs(b, k)) return false
    }
    return true
  }
}

/** Devices in their order, each where the table has room for one more of its group. */
const withinBudget = (
  { world, model, done, maxStates = MAX_STATES }: PipelineQuery,
  ranked: readonly number[],
  groups: readonly (readonly number[])[]
): readonly (readonly number[])[] => {
  const blocks = world.models[model]!.work.length
  const left = blocks - done
  const groupOf = new Map(groups.flatMap((group, g) => group.map(n => [n, g] as const)))
  const chosen = groups.map((): number[] => [])
  const fits = (): boolean => {
    const sizes = chosen.flatMap(({ length }) => (length === 0 ? [] : [Math.min(length, left)]))
    const states = sizes.reduce((product, size) => product * (size + 1), sizes.length)
    return states * (blocks + 1) <= maxStates && (states * left * left) / 2 <= MAX_VISITS
  }
  for (const n of ranked) {
    const group = chosen[groupOf.get(n)!]!
    group.push(n)
    if (!fits()) group.pop()
  }
  return chosen.filter(({ length }) => length > 0)
}

/**
 * By devices used (how many of each group), group of the last, and blocks done, in one flat table. Counts only grow, so that
 * counting up visits every state after those it comes from.
 */
class PipelineSearch {
  readonly #query: PipelineQuery
  readonly #groups: readonly (readonly number[])[]
  readonly #blocks: number
  /** Of each group: most devices of it, and what one more adds to the number of the devices used. */
  readonly #most: readonly number[]
  readonly #stride: readonly number[]
  readonly #used: number
  /** Time of block k in group g, at g * blocks + k; Infinity where it may not be taken. */
  readonly #times: Float64Array
  readonly #trees = new Map<string, TransferTree>()
  readonly #cost: Float64Array
  readonly #cameFrom: Int32Array
  readonly #workLeft: Float64Array
  /** Of each number of devices used: the rates of the others together, in work per second, at most. */
  readonly #ratesLeft: Float64Array

  constructor(query: PipelineQuery, groups: readonly (readonly number[])[]) {
    const { world, model, done } = query
    this.#query = query
    this.#groups = groups
    this.#blocks = world.models[model]!.work.length
    this.#most = groups.map(group => Math.min(group.length, this.#blocks - done))
    let used = 1
    this.#stride = this.#most.map(most => {
      const stride = used
      used *= most + 1
      return stride
    })
    this.#used = used
    const mayTake = mayTakeOf(query)
    this.#times = Float64Array.from({ length: groups.length * this.#blocks }, (_, at) => {
      const [n, k] = [groups[Math.floor(at / this.#blocks)]![0]!, at % this.#blocks]
      return mayTake(n, k) ? world.blockTime(n, model, k) : Number.POSITIVE_INFINITY
    })
    const states = used * groups.length * (this.#blocks + 1)
    this.#cost = new Float64Array(states)
    this.#cameFrom = new Int32Array(states)
    this.#workLeft = this.#sumOfWork()
    this.#ratesLeft = this.#sumOfRates()
  }

  /** @returns undefined where no pipeline over these devices exists */
  leastBottleneck(): number | undefined {
    const least = this.#workLeft[this.#query.done]! / this.#ratesLeft[0]!
    for (const factor of least > 0 ? LIMITS : LIMITS.slice(-1)) {
      const { cost } = this.#sweep(factor === Number.POSITIVE_INFINITY ? factor : least * factor, 'slowest')
      if (cost < Number.POSITIVE_INFINITY) return cost
    }
    return undefined
  }

  /** The pipeline of the shortest total time none of whose stages takes longer than `bottleneck`. */
  shortestWithin(bottleneck: number): Pipeline {
    const { cost, end } = this.#sweep(bottleneck, 'total')
    const width = this.#blocks + 1
    const stages: { readonly group: number; readonly until: number }[] = []
    for (let at = end; at !== -1; at = this.#cameFrom[at]!)
      stages.unshift({ group: Math.floor(at / width) % this.#groups.length, until: at % width })
    const next = this.#groups.map(() => 0)
    const devices = stages.map(({ group, until }): Step => ({ device: this.#groups[group]![next[group]!++]!, until }))
    return { stages: devices, bottleneck, takes: cost }
  }

  #sweep(limit: number, kind: 'slowest' | 'total'): { readonly cost: number; readonly end: number } {
    const { done, from } = this.#query
    const groups = this.#groups.length
    const width = this.#blocks + 1
    const best = { cost: Number.POSITIVE_INFINITY, end: -1 }
    const extend = this.#extender(limit, kind === 'total', best)
    this.#cost.fill(Number.POSITIVE_INFINITY)
    for (let g = 0; g < groups; g++) extend(-1, 0, from, done, 0, g, this.#groups[g]![0]!)
    for (let used = 1; used < this.#used; used++) {
      for (let g = 0; g < groups; g++) {
        if (this.#count(used, g) === 0) continue
        for (let k = done + 1; k < this.#blocks; k++) {
          const at = (used * groups + g) * width + k
          if (!(this.#cost[at]! < best.cost)) continue
          for (let to = 0; to < groups; to++) {
            // From one to another of the same group is as from its first to its second.
            const device = this.#groups[to]![to === g ? 1 : 0]
            if (device !== undefined && this.#count(used, to) < this.#most[to]!)
              extend(at, this.#cost[at]!, this.#groups[g]![0]!, k, used, to, device)
          }
        }
      }
    }
    return best
  }

  /**
   * Every next stage of a state: on a device of group g, from block `until` on.
   * @param best the cheapest end so far, kept up to date
   */
  #extender(limit: number, isTotal: boolean, best: { cost: number; end: number }) {
    const { room, home } = this.#query
    const [blocks, width, groups] = [this.#blocks, this.#blocks + 1, this.#groups.length]
    const [times, cost, cameFrom] = [this.#times, this.#cost, this.#cameFrom]
    return (at: number, before: number, here: number, until: number, used: number, g: number, device: number): void => {
      const way = this.#tree(here, until)
      const most = isTotal ? limit : Math.min(limit, best.cost)
      if (way.slowest[device]! > most) return
      const arrived = isTotal ? before + way.takes[device]! : Math.max(before, way.slowest[device]!)
      const now = used + this.#stride[g]!
      const rates = most * this.#ratesLeft[now]! * SLACK
      let left = room?.left(device) ?? Number.POSITIVE_INFINITY
      let stage = 0
      for (let k = until; k < blocks; k++) {
        stage += times[g * blocks + k]!
        if (room !== undefined) left -= room.needs(device, k)
        if (stage > most || left < 0) return
        const reached = isTotal ? arrived + stage : Math.max(arrived, stage)
        if (reached >= best.cost) return
        const to = (now * groups + g) * width + k + 1
        if (k + 1 < blocks) {
          if (reached >= cost[to]! || this.#workLeft[k + 1]! > rates) continue
          cost[to] = reached
          cameFrom[to] = at
          continue
        }
        const back = this.#tree(device, blocks)
        const whole = isTotal ? reached + back.takes[home]! : Math.max(reached, back.slowest[home]!)
        if (back.slowest[home]! > limit || whole >= best.cost) return
        best.cost = whole
        best.end = to
        cameFrom[to] = at
      }
    }
  }

  #count(used: number, g: number): number {
    return Math.floor(used / this.#stride[g]!) % (this.#most[g]! + 1)
  }

  #sumOfRates(): Float64Array {
    const { world, model } = this.#query
    const { work } = world.models[model]!
    const rate = this.#groups.map((_, g) =>
      work.reduce((most, w, k) => (w === 0 ? most : Math.max(most, w / this.#times[g * this.#blocks + k]!)), 0)
    )
    return Float64Array.from({ length: this.#used }, (_, used) =>
      rate.reduce((sum, r, g) => sum + r * (this.#most[g]! - this.#count(used, g)), 0)
    )
  }

  /** From each block on. */
  #sumOfWork(): Float64Array {
    const { work } = this.#query.world.models[this.#query.model]!
    const left = new Float64Array(this.#blocks + 1)
    for (let k = this.#blocks - 1; k >= 0; k--) left[k] = left[k + 1]! + work[k]!
    return left
  }

  /** By size: a model has few different ones. */
  #tree(device: number, until: number): TransferTree {
    const { world, model } = this.#query
    const size = world.models[model]!.activations[until]!
    const key = `${device} ${size}`
    let tree = this.#trees.get(key)
    if (tree === undefined) {
      tree = transferTree(world, device, size)
      this.#trees.set(key, tree)
    }
    return tree
  }
}
