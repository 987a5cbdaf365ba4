import { cheapestPath } from '../core/cheapest-path.ts'
import { shortestTransfer } from '../core/shortest-transfer.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CreatePolicy, Decision, Step, TaskState } from './policy.ts'
import { Reporting } from './reporting.ts'

/**
 * `ar-mdi`, adaptive and resilient model-distributed inference: Li, Koyuncu, Seferoglu, IEEE OJCOMS 2023,
 * doi 10.1109/OJCOMS.2023.3280174.
 *
 * Stated by the source: one source parts the layers along a chain of workers that begins at itself, contiguous layers in
 * proportion to each worker's measured rate; it adapts when rates change, and goes on without a worker that is lost.
 * Reconstructed: the chain is the nearest device not yet in it, again and again, by the time of a typical activation;
 * where neighbours in the chain have no link, the activation is relayed. "In proportion, as whole blocks, within what
 * each carries" is the division whose slowest share of the work is least; a device may have no share.
 * Our choice: where what is carried allows no contiguous division, the fastest unloaded way; every source decides for
 * itself, blind to the others; the division is found anew at most once a second,
 * at once when a device or block comes or goes; queues are first in, first out; the result goes straight home.
 */
export const createArMdi: CreatePolicy = host => {
  const { world, self } = host
  const reporting = new Reporting(host)
  const routes = new OnceASecond<readonly Step[] | number>(world)

  const decide = (task: TaskState, now: Seconds): Decision => {
    const route = routes.get(`${task.model} ${task.done} ${task.home}`, now, () =>
      chainRoute(world, self, task.model, task.done, task.home)
    )
    return typeof route === 'number' ? { kind: 'wait', block: route } : { kind: 'go', steps: route }
  }

  return {
    name: 'ar-mdi',
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

/** @returns the steps, or the first block that cannot be reached */
const chainRoute = (
  world: World,
  from: number,
  model: number,
  done: number,
  home: number
): readonly Step[] | number => {
  const chain = nearestFirstChain(world, from, model)
  const ends = divide(world, chain, model, done)
  if (ends === undefined) return fastestWay(world, from, model, done, home)
  const { activations } = world.models[model]!
  const steps: Step[] = []
  let here = from
  let at = done
  for (const [i, until] of ends.entries()) {
    if (until === at) continue
    const device = chain[i]!
    const hops = shortestTransfer(world, here, activations[at]!, n => n === device)?.hops ?? []
    for (const relay of hops.slice(0, -1)) steps.push({ device: relay, until: at })
    steps.push({ device, until })
    here = device
    at = until
  }
  return steps
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

/** After which block each device of the chain stops, for the least time of the slowest share; undefined: impossible. */
const divide = (world: World, chain: readonly number[], model: number, done: number): number[] | undefined => {
  const blocks = world.models[model]!.work.length
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
        const slowest = Math.max(before, share)
        const at = (i + 1) * width + end
        if (slowest < least[at]!) {
          least[at] = slowest
          cameFrom[at] = start
        }
        if (end === blocks || !world.carries(device, model, end)) break
        share += world.blockTime(device, model, end)
      }
    }
  }
  if (least[chain.length * width + blocks] === Number.POSITIVE_INFINITY) return undefined
  const ends: number[] = []
  for (let i = chain.length, end = blocks; i > 0; i--) {
    ends.unshift(end)
    end = cameFrom[i * width + end]!
  }
  return ends
}

/** Where what is carried allows no contiguous division: the fastest way of all, unloaded. */
const fastestWay = (
  world: World,
  from: number,
  model: number,
  done: number,
  home: number
): readonly Step[] | number => {
  const path = cheapestPath({ world, model, from, done, home, price: () => 1, latencyPrice: seconds(1) })
  return 'stuckAt' in path ? path.stuckAt : path.steps
}
