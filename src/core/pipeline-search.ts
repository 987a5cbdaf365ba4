import { blocksOf } from './progress.ts'
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
  readonly maxStates?: number | undefined
}

export interface Pipeline {
  readonly stages: readonly Step[]
  /** Seconds of the slowest stage or transfer: a datum comes home every so often. */
  readonly bottleneck: number
  /** Seconds of one datum, unloaded. */
  readonly takes: number
}

/** Sums in another order differ in their last digits. */
const SLACK = 1 + 1e-9
/** Times what no pipeline can beat: within each of these limits in turn a pipeline is looked for, then within any. */
const LIMITS = [1.02, 1.1, 1.3]

/** Who may take a block of the query's model. */
export const mayTakeOf = ({
  world,
  model,
  home,
  mayTake
}: PipelineQuery): ((device: number, block: number) => boolean) =>
  mayTake ?? ((n, k) => world.mayRun(n, model, k, home))

interface Ways {
  /** The hop that takes longest to send. */
  readonly slowest: Float64Array
  readonly takes: Float64Array
}

/**
 * By devices used (how many of each group), group of the last, and blocks done, in one flat table. Counts only grow, so that
 * counting up visits every state after those it comes from.
 */
export class PipelineSearch {
  readonly #query: PipelineQuery
  readonly #groups: readonly (readonly number[])[]
  readonly #blocks: number
  /** Of each group: most devices of it, and what one more adds to the number of the devices used. */
  readonly #most: readonly number[]
  readonly #stride: readonly number[]
  readonly #used: number
  /** Of the whole device, of block k in group g, at g * blocks + k; Infinity where it may not be taken. */
  readonly #times: Float64Array
  /** Of each group: a datum takes so many times as long as it takes of the device. */
  readonly #lanes: readonly number[]
  readonly #ways: Ways
  readonly #back: Ways
  readonly #cost: Float64Array
  readonly #cameFrom: Int32Array
  readonly #workLeft: Float64Array
  /** Of each number of devices used: the rates of the others together, in work per second, at most. */
  readonly #ratesLeft: Float64Array

  constructor(query: PipelineQuery, groups: readonly (readonly number[])[]) {
    const { world, model, done } = query
    this.#query = query
    this.#groups = groups
    this.#blocks = blocksOf(world, model)
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
      return mayTake(n, k) ? world.use(n, model, k) : Number.POSITIVE_INFINITY
    })
    this.#lanes = groups.map(([first]) => world.devices[first!]!.lanes)
    const states = used * groups.length * (this.#blocks + 1)
    this.#cost = new Float64Array(states)
    this.#cameFrom = new Int32Array(states)
    this.#workLeft = this.#sumOfWork()
    this.#ratesLeft = this.#sumOfRates()
    this.#ways = this.#waysBetween()
    this.#back = this.#waysHome()
  }

  /**
   * @param known a pipeline that takes so long exists
   * @returns undefined where no pipeline over these devices exists
   */
  leastBottleneck(known: number): number | undefined {
    const least = this.#workLeft[this.#query.done]! / this.#ratesLeft[0]!
    const limits = LIMITS.map(factor => factor * least).filter(limit => limit > 0 && limit < known)
    for (const limit of [...limits, known * SLACK]) {
      const { cost } = this.#sweep(limit, 'slowest')
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
    const { done } = this.#query
    const [groups, width] = [this.#groups.length, this.#blocks + 1]
    const cost = this.#cost.fill(Number.POSITIVE_INFINITY)
    const best = { cost: Number.POSITIVE_INFINITY, end: -1 }
    const extend = this.#extender(limit, kind === 'total', best)
    for (let to = 0; to < groups; to++) extend(-1, 0, groups, done, 0, to)
    for (let used = 1; used < this.#used; used++) {
      const next = [...this.#groups.keys()].filter(to => this.#count(used, to) < this.#most[to]!)
      for (let g = 0; g < groups; g++) {
        if (this.#count(used, g) === 0) continue
        for (let k = done + 1, at = (used * groups + g) * width + k; k < this.#blocks; k++, at++) {
          if (cost[at]! < best.cost) for (const to of next) extend(at, cost[at]!, g, k, used, to)
        }
      }
    }
    return best
  }

  /**
   * Every next stage of a state: on a device of group `to`, from block `until` on.
   * @param best the cheapest end so far, kept up to date
   */
  #extender(limit: number, isTotal: boolean, best: { cost: number; end: number }) {
    const { room } = this.#query
    const [blocks, width, groups] = [this.#blocks, this.#blocks + 1, this.#groups.length]
    const [times, cost, cameFrom, ways] = [this.#times, this.#cost, this.#cameFrom, this.#ways]
    const [workLeft, back] = [this.#workLeft, this.#back]
    return (at: number, before: number, here: number, until: number, used: number, to: number): void => {
      const way = (here * groups + to) * width + until
      const sending = ways.slowest[way]!
      const most = isTotal ? limit : Math.min(limit, best.cost)
      if (sending > most) return
      const arrived = isTotal ? before + ways.takes[way]! : Math.max(before, sending)
      const now = used + this.#stride[to]!
      const rates = most * this.#ratesLeft[now]! * SLACK
      const device = this.#groups[to]![0]!
      const lanes = this.#lanes[to]!
      let left = room?.left(device) ?? Number.POSITIVE_INFINITY
      let stage = 0
      for (let k = until, next = (now * groups + to) * width + until + 1; k < blocks; k++, next++) {
        stage += times[to * blocks + k]!
        if (room !== undefined) left -= room.needs(device, k)
        if (stage > most || left < 0) return
        const reached = isTotal ? arrived + lanes * stage : Math.max(arrived, stage)
        if (reached >= best.cost) return
        if (k + 1 < blocks) {
          if (reached >= cost[next]! || workLeft[k + 1]! > rates) continue
          cost[next] = reached
          cameFrom[next] = at
          continue
        }
        const whole = isTotal ? reached + back.takes[to]! : Math.max(reached, back.slowest[to]!)
        if (back.slowest[to]! > limit || whole >= best.cost) return
        best.cost = whole
        best.end = next
        cameFrom[next] = at
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

  /**
   * Of activation k from a device of group g to another of group h, at (g * groups + h) * (blocks + 1) + k; after the last
   * group, from where the datum is. From one device to another of the same group is as from its first to its second.
   */
  #waysBetween(): Ways {
    const { world, model, from, done } = this.#query
    const { activations } = world.models[model]!
    const [groups, width] = [this.#groups.length, this.#blocks + 1]
    const size = (groups + 1) * groups * width
    const ways = { slowest: new Float64Array(size).fill(Number.POSITIVE_INFINITY), takes: new Float64Array(size) }
    const origins = [...this.#groups.map(group => group[0]!), from]
    for (const [g, origin] of origins.entries()) {
      const trees = new Map<number, TransferTree>() // by size: a model has few different ones
      for (let k = done; k < this.#blocks; k++) {
        if ((g === groups) !== (k === done)) continue
        const tree = trees.get(activations[k]!) ?? transferTree(world, origin, activations[k]!)
        trees.set(activations[k]!, tree)
        for (const [h, group] of this.#groups.entries()) {
          const device = group[g === h ? 1 : 0]
          if (device === undefined || this.#times[h * this.#blocks + k] === Number.POSITIVE_INFINITY) continue
          ways.slowest[(g * groups + h) * width + k] = tree.slowest[device]!
          ways.takes[(g * groups + h) * width + k] = tree.takes[device]!
        }
      }
    }
    return ways
  }

  /** Of the result, from each group. */
  #waysHome(): Ways {
    const { world, model, home } = this.#query
    const trees = this.#groups.map(([first]) =>
      transferTree(world, first!, world.models[model]!.activations[this.#blocks]!)
    )
    return {
      slowest: Float64Array.from(trees, tree => tree.slowest[home]!),
      takes: Float64Array.from(trees, tree => tree.takes[home]!)
    }
  }
}
