import { shortestTransfer } from '../core/shortest-transfer.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CreatePolicy, Decision, Step, TaskState } from './policy.ts'
import { Reporting } from './reporting.ts'

export interface PipeEdgeOptions {
  /** Devices that the exact programme considers: the source's and the fastest others. It grows as 2 to this. */
  readonly maxDevices: number
}

/**
 * `pipeedge`: Hu et al., arXiv 2110.14895.
 *
 * Stated by the source: one pipeline over heterogeneous devices; a dynamic programme over (layers done, devices used, last
 * device) finds the contiguous parts and the order of devices whose slowest stage, computing or sending, is fastest.
 * Reconstructed: a stage is the blocks of one device, within what it carries; sending to a device that is no neighbour
 * counts as the slowest hop of the way there; the way home of the result counts too.
 * Our choice: each source has its own pipeline, blind to the others; beyond `maxDevices` only the fastest are considered;
 * among equal bottlenecks the shortest total time; the pipeline is found anew at most once a second, at once when a
 * device or block comes or goes; queues are first in, first out.
 */
export const createPipeEdge =
  ({ maxDevices }: PipeEdgeOptions = { maxDevices: 7 }): CreatePolicy =>
  host => {
    const { world, self } = host
    const reporting = new Reporting(host)
    const routes = new OnceASecond<readonly Step[] | number>(world)

    const decide = (task: TaskState, now: Seconds): Decision => {
      const key = `${task.model} ${task.done} ${task.home}`
      const route = routes.get(key, now, () => pipeline(world, self, task, maxDevices))
      return typeof route === 'number' ? { kind: 'wait', block: route } : { kind: 'go', steps: route }
    }

    return {
      name: 'pipeedge',
      reportInterval: seconds(0.1),
      admit: decide,
      next: decide,
      rank: task => task.queuedAt,
      sent: () => {},
      arrived: (_, from) => reporting.arrived(from),
      report: () => reporting.report(),
      remark: () => reporting.report(),
      heard: () => {}
    }
  }

interface State {
  readonly bottleneck: number
  readonly total: number
  readonly device: number
  readonly until: number
  readonly before: State | undefined
}

const isBetter = (a: State, b: State | undefined): boolean =>
  b === undefined || a.bottleneck < b.bottleneck || (a.bottleneck === b.bottleneck && a.total < b.total)

/** @returns the steps, or the first block that cannot be reached */
const pipeline = (world: World, self: number, task: TaskState, maxDevices: number): readonly Step[] | number => {
  const { model, done, home } = task
  const blocks = world.models[model]!.work.length
  const devices = candidates(world, self, model, maxDevices)
  const hop = hopTimes(world, model)
  const start: State = { bottleneck: 0, total: 0, device: self, until: done, before: undefined }
  let best: State | undefined
  // By set of devices used, then (last device, blocks done): sets only grow, so counting up visits them in order.
  const table: (State | undefined)[][] = Array.from({ length: 2 ** devices.length }, () => [])
  const extend = (state: State, used: number): void => {
    for (const [i, device] of devices.entries()) {
      if ((used & (1 << i)) !== 0) continue
      const sending = hop(state.device, device, state.until)
      if (sending === undefined || Math.max(state.bottleneck, sending.slowest) > (best?.bottleneck ?? Infinity))
        continue
      let computing = 0
      for (let k = state.until; k < blocks && world.carries(device, model, k); k++) {
        computing += world.blockTime(device, model, k)
        const bottleneck = Math.max(state.bottleneck, sending.slowest, computing)
        if (bottleneck > (best?.bottleneck ?? Infinity)) break
        const total = state.total + sending.total + computing
        const next: State = { bottleneck, total, device, until: k + 1, before: state }
        if (k + 1 === blocks) {
          const back = hop(device, home, blocks)
          if (back === undefined) continue
          const whole = { ...next, bottleneck: Math.max(bottleneck, back.slowest), total: total + back.total }
          if (isBetter(whole, best)) best = whole
          continue
        }
        const row = table[used | (1 << i)]!
        const at = i * (blocks + 1) + k + 1
        if (isBetter(next, row[at])) row[at] = next
      }
    }
  }
  extend(start, 0)
  for (const [used, row] of table.entries()) for (const state of row) if (state !== undefined) extend(state, used)
  return best === undefined ? firstUncarried(world, devices, task) : toSteps(world, model, best)
}

/** The device itself, and the fastest others that carry something of the model. */
const candidates = (world: World, self: number, model: number, maxDevices: number): number[] => {
  const { work } = world.models[model]!
  const speed = (n: number): number => {
    let time = 0
    for (const k of work.keys()) time += world.blockTime(n, model, k)
    return 1 / time
  }
  const others = [...world.devices.keys()].filter(n => n !== self && work.some((_, k) => world.carries(n, model, k)))
  others.sort((a, b) => speed(b) - speed(a) || a - b)
  return coverAll(world, model, [self, ...others], maxDevices)
}

/** The first `most`, and whoever else is the only one with some block. */
const coverAll = (world: World, model: number, devices: readonly number[], most: number): number[] => {
  const chosen = devices.slice(0, most)
  for (const k of world.models[model]!.work.keys()) {
    if (chosen.some(n => world.carries(n, model, k))) continue
    const only = devices.find(n => world.carries(n, model, k))
    if (only !== undefined) chosen.push(only)
  }
  return chosen
}

interface HopTime {
  readonly slowest: number
  readonly total: number
}

const hopTimes = (world: World, model: number): ((from: number, to: number, k: number) => HopTime | undefined) => {
  const known = new Map<number, HopTime | undefined>()
  const count = world.devices.length
  return (from, to, k) => {
    const key = (k * count + from) * count + to
    if (!known.has(key)) known.set(key, hopTime(world, from, to, world.models[model]!.activations[k]!))
    return known.get(key)
  }
}

const hopTime = (
  world: World,
  from: number,
  to: number,
  size: World['models'][number]['activations'][number]
): HopTime | undefined => {
  if (from === to) return { slowest: 0, total: 0 }
  const way = shortestTransfer(world, from, size, n => n === to)
  if (way === undefined) return undefined
  let slowest = 0
  let here = from
  for (const next of way.hops) {
    slowest = Math.max(slowest, size / world.link(here, next)!.rate)
    here = next
  }
  return { slowest, total: way.takes }
}

const toSteps = (world: World, model: number, end: State): readonly Step[] => {
  const stages: State[] = []
  for (let state: State | undefined = end; state !== undefined; state = state.before) stages.unshift(state)
  const steps: Step[] = []
  for (const [i, { device, until }] of stages.entries()) {
    if (i === 0) continue
    const { device: here, until: at } = stages[i - 1]!
    const hops = shortestTransfer(world, here, world.models[model]!.activations[at]!, n => n === device)?.hops ?? []
    for (const relay of hops.slice(0, -1)) steps.push({ device: relay, until: at })
    steps.push({ device, until })
  }
  return steps
}

const firstUncarried = (world: World, devices: readonly number[], { model, done }: TaskState): number => {
  const blocks = world.models[model]!.work.length
  for (let k = done; k < blocks; k++) if (!devices.some(n => world.carries(n, model, k))) return k
  return done
}
