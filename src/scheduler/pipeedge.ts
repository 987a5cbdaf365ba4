import { type TransferTree, transferTree } from '../core/transfer-tree.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { fastestWay } from './fastest-way.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CreatePolicy, Decision, Step, TaskState } from './policy.ts'
import { Reporting } from './reporting.ts'
import { stepsOfStages } from './steps-of-stages.ts'

export interface PipeEdgeOptions {
  /** Devices that the exact programme considers; its table grows as 2 to this. */
  readonly maxDevices: number
}

/**
 * `pipeedge`: Hu et al., arXiv 2110.14895.
 *
 * Stated by the source: one pipeline over heterogeneous devices; a dynamic programme over (layers done, devices used, last
 * device) finds the contiguous parts and the order of devices whose slowest stage, computing or sending, is fastest.
 * Reconstructed: a stage is the blocks of one device, within what it carries; sending to a device that is no neighbour
 * counts as the slowest hop of the way there; the ways from the source and home count too.
 * Our choice: each source has its own pipeline, blind to the others; beyond `maxDevices` only some are considered: those
 * that cover the blocks with fewest devices, then the fastest; among equal bottlenecks the shortest total time; where
 * those devices allow no pipeline (a device comes once in it), the fastest unloaded way; the pipeline is found anew at
 * most once a second, at once when a device or block comes or goes. A stage serves data in the order in which they arrive at
 * it, and each to its end, as a process that loops over its queue does.
 */
export const createPipeEdge =
  ({ maxDevices }: PipeEdgeOptions = { maxDevices: 10 }): CreatePolicy =>
  host => {
    const { world, self } = host
    const reporting = new Reporting(host)
    const routes = new OnceASecond<readonly Step[] | number>(world)

    const decide = (task: TaskState, now: Seconds): Decision => {
      const key = `${task.model} ${task.done} ${task.home}`
      const route = routes.get(key, now, () => pipelineRoute(world, self, task, maxDevices))
      return typeof route === 'number' ? { kind: 'wait', block: route } : { kind: 'go', steps: route }
    }

    return {
      name: 'pipeedge',
      reportInterval: seconds(0.1),
      admit: decide,
      next: decide,
      rank: task => task.arrivedAt,
      sent: () => {},
      arrived: (_, from) => reporting.arrived(from),
      report: () => reporting.report(),
      remark: () => reporting.report(),
      heard: () => {}
    }
  }

/** @returns the steps, or the first block that cannot be reached */
const pipelineRoute = (world: World, self: number, task: TaskState, maxDevices: number): readonly Step[] | number => {
  const way = fastestWay(world, self, task)
  if (typeof way === 'number') return way
  const search = new PipelineSearch(world, self, task, candidates(world, self, task, maxDevices))
  const bottleneck = search.leastBottleneck()
  const stages = bottleneck === undefined ? undefined : search.shortestWithin(bottleneck)
  return stages === undefined ? way : stepsOfStages(world, self, task, stages)
}

/** Those that cover the blocks that remain, most at a time, ties to the faster; then the fastest. */
const candidates = (world: World, self: number, { model, done }: TaskState, most: number): number[] => {
  const left = [...world.models[model]!.work.keys()].slice(done)
  const timeOf = (n: number): number => left.reduce((sum, k) => sum + world.blockTime(n, model, k), 0)
  const carriers = [...world.devices.keys()]
    .filter(n => left.some(k => world.carries(n, model, k)))
    .map(n => ({ n, time: timeOf(n) }))
    .sort((a, b) => a.time - b.time || Number(b.n === self) - Number(a.n === self) || a.n - b.n)
    .map(({ n }) => n)
  if (carriers.length <= most) return carriers
  const chosen = new Set<number>()
  const missing = new Set(left)
  const gain = (n: number): number => left.filter(k => missing.has(k) && world.carries(n, model, k)).length
  while (missing.size > 0 && chosen.size < most) {
    const next = carriers.reduce((a, b) => (gain(b) > gain(a) ? b : a))
    if (gain(next) === 0) break
    chosen.add(next)
    for (const k of left) if (world.carries(next, model, k)) missing.delete(k)
  }
  for (const n of carriers) if (chosen.size < most) chosen.add(n)
  return [...chosen]
}

/**
 * The dynamic programme, by set of devices used, last device and blocks done. Sets only grow, so that counting up visits
 * every state after those it comes from.
 */
class PipelineSearch {
  readonly #world: World
  readonly #self: number
  readonly #task: TaskState
  readonly #devices: readonly number[]
  readonly #blocks: number
  readonly #trees = new Map<number, TransferTree>()
  /** Time of block k on candidate i, at i * blocks + k; Infinity where it is not carried. */
  readonly #times: Float64Array
  readonly #cost: Float64Array
  readonly #cameFrom: Int32Array

  constructor(world: World, self: number, task: TaskState, devices: readonly number[]) {
    this.#world = world
    this.#self = self
    this.#task = task
    this.#devices = devices
    this.#blocks = world.models[task.model]!.work.length
    const { model } = task
    this.#times = Float64Array.from({ length: devices.length * this.#blocks }, (_, at) => {
      const n = devices[Math.floor(at / this.#blocks)]!
      const k = at % this.#blocks
      return world.carries(n, model, k) ? world.blockTime(n, model, k) : Number.POSITIVE_INFINITY
    })
    const states = 2 ** devices.length * devices.length * (this.#blocks + 1)
    this.#cost = new Float64Array(states)
    this.#cameFrom = new Int32Array(states)
  }

  /** @returns undefined where no pipeline over these devices exists */
  leastBottleneck(): number | undefined {
    const { cost } = this.#sweep(Number.POSITIVE_INFINITY, 'slowest')
    return cost === Number.POSITIVE_INFINITY ? undefined : cost
  }

  /** The stages of the shortest total time none of which takes longer than `bottleneck`. */
  shortestWithin(bottleneck: number): readonly Step[] {
    const { end } = this.#sweep(bottleneck, 'total')
    const count = this.#devices.length
    const width = this.#blocks + 1
    const stages: Step[] = []
    for (let at = end; at !== -1; at = this.#cameFrom[at]!) {
      stages.unshift({ device: this.#devices[Math.floor(at / width) % count]!, until: at % width })
    }
    return stages
  }

  #sweep(limit: number, kind: 'slowest' | 'total'): { readonly cost: number; readonly end: number } {
    const { done, home } = this.#task
    const count = this.#devices.length
    const width = this.#blocks + 1
    const isTotal = kind === 'total'
    const rates = this.#ratesOfUnused()
    const workLeft = this.#workLeft()
    let best = Number.POSITIVE_INFINITY
    let end = -1
    this.#cost.fill(Number.POSITIVE_INFINITY)

    const extend = (at: number, cost: number, device: number, until: number, used: number): void => {
      const { takes, slowest } = this.#tree(device, until)
      for (let i = 0; i < count; i++) {
        if ((used & (1 << i)) !== 0 || this.#times[i * this.#blocks + until] === Number.POSITIVE_INFINITY) continue
        const next = this.#devices[i]!
        const most = isTotal ? limit : Math.min(limit, best)
        const sending = slowest[next]!
        if (sending > most) continue
        const nowUsed = used | (1 << i)
        const arrived = isTotal ? cost + takes[next]! : Math.max(cost, sending)
        let stage = 0
        for (let k = until; k < this.#blocks; k++) {
          stage += this.#times[i * this.#blocks + k]!
          if (stage > most) break
          const reached = isTotal ? arrived + stage : Math.max(arrived, stage)
          if (reached >= best) break
          const to = (nowUsed * count + i) * width + k + 1
          if (k + 1 === this.#blocks) {
            const back = this.#tree(next, this.#blocks)
            const whole = isTotal ? reached + back.takes[home]! : Math.max(reached, back.slowest[home]!)
            if (back.slowest[home]! > limit || whole >= best) continue
            best = whole
            end = to
            this.#cameFrom[to] = at
          } else if (reached < this.#cost[to]! && !(workLeft[k + 1]! > most * rates[nowUsed]! * SLACK)) {
            this.#cost[to] = reached
            this.#cameFrom[to] = at
          }
        }
      }
    }

    extend(-1, 0, this.#self, done, 0)
    for (let used = 1; used < 2 ** count - 1; used++) {
      for (let i = 0; i < count; i++) {
        if ((used & (1 << i)) === 0) continue
        for (let k = done + 1; k < this.#blocks; k++) {
          const at = (used * count + i) * width + k
          if (this.#cost[at]! < best) extend(at, this.#cost[at]!, this.#devices[i]!, k, used)
        }
      }
    }
    return { cost: best, end }
  }

  /** Of each set of devices: the rates of the others together, in work per second, at most. */
  #ratesOfUnused(): Float64Array {
    const count = this.#devices.length
    const { work } = this.#world.models[this.#task.model]!
    const rate = this.#devices.map((_, i) =>
      work.reduce((most, w, k) => (w === 0 ? most : Math.max(most, w / this.#times[i * this.#blocks + k]!)), 0)
    )
    return Float64Array.from({ length: 2 ** count }, (_, used) =>
      rate.reduce((sum, r, i) => ((used & (1 << i)) === 0 ? sum + r : sum), 0)
    )
  }

  /** From each block on. */
  #workLeft(): Float64Array {
    const { work } = this.#world.models[this.#task.model]!
    const left = new Float64Array(this.#blocks + 1)
    for (let k = this.#blocks - 1; k >= 0; k--) left[k] = left[k + 1]! + work[k]!
    return left
  }

  #tree(device: number, until: number): TransferTree {
    const key = until * this.#world.devices.length + device
    let tree = this.#trees.get(key)
    if (tree === undefined) {
      tree = transferTree(this.#world, device, this.#world.models[this.#task.model]!.activations[until]!)
      this.#trees.set(key, tree)
    }
    return tree
  }
}

/** Sums in another order differ in their last digits. */
const SLACK = 1 + 1e-9
