import { blocksOf } from '../core/progress.ts'
import { shortestTransfer } from '../core/shortest-transfer.ts'
import type { Seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { fastestWay } from './fastest-way.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CreatePolicy, Decision, Step, TaskState } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'
import { stepsOfStages } from './steps-of-stages.ts'

/**
 * `ar-mdi`, adaptive and resilient model-distributed inference: Li, Koyuncu, Seferoglu, IEEE OJCOMS 2023,
 * doi 10.1109/OJCOMS.2023.3280174.
 *
 * Stated by the source: one source parts the layers along a chain of workers that begins at itself, contiguous layers in
 * proportion to each worker's measured rate; it adapts when rates change, and goes on without a worker that is lost.
 * Reconstructed: the chain is the nearest device not yet in it, again and again, by the time of a typical activation;
 * where neighbours in the chain have no link, the activation is relayed. "In proportion, as whole blocks, within what
 * each carries" is the division whose slowest share is fastest, and among those the one nearest to equal times, in the
 * sum of squares; a device may have no share.
 * Our choice: where what is carried allows no contiguous division, the fastest unloaded way; every source decides for
 * itself, blind to the others; the division is found anew at most once a second, at once when a device or block comes
 * or goes; a worker is one stage of its source's chain: it serves data in the order in which they arrive at it, over all
 * sources, and each to its end; the result goes straight home.
 */
export const createArMdi: CreatePolicy = host => {
  const { world, self } = host
  const reporting = new Reporting(host)
  const routes = new OnceASecond<readonly Step[] | number>(world)

  const decide = (task: TaskState, now: Seconds): Decision => {
    const route = routes.get(`${task.model} ${task.done} ${task.home}`, now, () => chainRoute(world, self, task))
    return typeof route === 'number' ? { kind: 'wait', block: route } : { kind: 'go', steps: route }
  }

  return {
    name: 'ar-mdi',
    reportInterval: () => reportInterval(world),
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
const chainRoute = (world: World, self: number, task: TaskState): readonly Step[] | number => {
  const way = fastestWay(world, self, task)
  if (typeof way === 'number') return way
  const stages = divide(world, nearestFirstChain(world, self, task.model), task)
  return stages === undefined ? way : stepsOfStages(world, self, task, stages)
}

const nearestFirstChain = (world: World, from: number, model: number): number[] => {
  const { activations } = world.models[model]!
  const typical = activations.toSorted((a, b) => a - b)[Math.floor(activations.length / 2)]!
  const chain = [from]
  const inChain = new Set(chain)
  for (;;) {
    const next = shortestTransfer(world, chain.at(-1)!, typical, n => !inChain.has(n) && world.devices[n]!.up)
    if (next === undefined) return chain
    const device = next.hops.at(-1)!
    chain.push(device)
    inChain.add(device)
  }
}

/** The shares of the chain's devices, in its order, empty ones left out; undefined: no contiguous division. */
const divide = (world: World, chain: readonly number[], task: TaskState): readonly Step[] | undefined => {
  const slowest = bestDivision(world, chain, task, Math.max)
  if (slowest === undefined) return undefined
  const equal = equalTime(world, chain, task)
  const nearest = (before: number, share: number): number =>
    share > slowest.cost ? Number.POSITIVE_INFINITY : before + (share - equal) ** 2
  return bestDivision(world, chain, task, nearest)?.stages
}

/** What every share would take if blocks could be parted at will. */
const equalTime = (world: World, chain: readonly number[], { model, done }: TaskState): number => {
  const { work } = world.models[model]!
  let rates = 0
  for (const n of chain) {
    let time = 0
    for (let k = done; k < work.length; k++) time += world.use(n, model, k)
    if (work.some((_, k) => world.carries(n, model, k))) rates += 1 / time
  }
  return 1 / rates
}

/** By dynamic programme over (devices of the chain, blocks done). `add` grows with both of its arguments' costs. */
const bestDivision = (
  world: World,
  chain: readonly number[],
  { model, done, home }: TaskState,
  add: (before: number, share: number) => number
): { readonly cost: number; readonly stages: readonly Step[] } | undefined => {
  const blocks = blocksOf(world, model)
  const width = blocks + 1
  const least = new Float64Array((chain.length + 1) * width).fill(Number.POSITIVE_INFINITY)
  const cameFrom = new Int32Array(least.length).fill(-1)
  least[done] = 0
  for (const [i, device] of chain.entries()) {
    for (let start = done; start <= blocks; start++) {
      const before = least[i * width + start]!
      if (before === Number.POSITIVE_INFINITY) continue
      let share = 0
      for (let end = start; end <= blocks; end++) {
        const cost = add(before, share)
        const at = (i + 1) * width + end
        if (cost < least[at]!) {
          least[at] = cost
          cameFrom[at] = start
        }
        if (end === blocks || !world.mayRun(device, model, end, home)) break
        share += world.use(device, model, end)
      }
    }
  }
  const cost = least[chain.length * width + blocks]!
  if (cost === Number.POSITIVE_INFINITY) return undefined
  const stages: Step[] = []
  for (let i = chain.length, until = blocks; i > 0; i--) {
    const start = cameFrom[i * width + until]!
    if (start < until) stages.unshift({ device: chain[i - 1]!, until })
    until = start
  }
  return { cost, stages }
}
