import { isFinished } from '../core/progress.ts'
import { shortestTransfer } from '../core/shortest-transfer.ts'
import { seconds } from '../core/units.ts'
import { BacklogTable } from './backlog-table.ts'
import type { CreatePolicy, Decision, PolicyHost, Step, TaskState } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'

/**
 * `ms-mdi`, multi-source model-distributed inference: a RECONSTRUCTION of Li, Seferoglu, Koyuncu, ICASSPW 2023,
 * doi 10.1109/ICASSPW59220.2023.10193154, whose full text is not public.
 *
 * Stated by the source: scheduling decisions are optimised across several sources and workers; a source runs a few
 * layers and sends the activation to a neighbour until all layers are done; decisions follow queues, compute and links.
 * Reconstructed: at admission and after every block, the next block goes to argmin_j C_nj + Q_j + e_j over this device
 * and its neighbours that carry the block; ties stay. C is the link's backlog plus transfer plus latency, Q the backlog
 * last heard plus what was sent since, e the block's time there.
 * Our choice: reports every 100 ms and along with tasks; a task that waits for a link is decided again when its turn
 * comes; where no neighbour carries the block, the activation goes towards the nearest device that does. Queues are first in,
 * first out over all sources by arrival at the device, also for the blocks that follow there: a datum that stays keeps its
 * place.
 */
export const createMsMdi: CreatePolicy = host => {
  const reporting = new Reporting(host)
  const table = new BacklogTable(host.self)

  const decide = (task: TaskState): Decision => {
    const best = cheapestCarrier(host, table, task)
    if (best !== undefined) return { kind: 'go', steps: [{ device: best, until: task.done + 1 }] }
    return towardsNearestCarrier(host, task)
  }

  return {
    name: 'ms-mdi',
    reportInterval: () => reportInterval(host.world),
    admit: decide,
    next: decide,
    // A step that only passes through is a relay or the way home, and stays.
    beforeSend: (task, steps) => (steps[0]?.until === task.done ? { kind: 'go', steps } : decide(task)),
    rank: task => task.arrivedAt,
    sent: (task, to) => {
      const { world } = host
      if (!isFinished(world, task) && world.carries(to, task.model, task.done)) {
        table.sent(task, to, world.use(to, task.model, task.done))
      } else table.sent(task, to, seconds(0))
    },
    returned: (task, to) => table.returned(task, to),
    arrived: (_, from) => reporting.arrived(from),
    report: () => reporting.report(),
    remark: () => reporting.report(),
    heard: (from, report) => table.heard(from, report),
    forget: device => table.forget(device)
  }
}

const cheapestCarrier = (host: PolicyHost, table: BacklogTable, task: TaskState): number | undefined => {
  const { world, self } = host
  const size = world.models[task.model]!.activations[task.done]!
  let best: number | undefined
  let bestCost = Number.POSITIVE_INFINITY
  if (world.mayRun(self, task.model, task.done, task.home)) {
    best = self
    bestCost = host.backlog() + world.blockTime(self, task.model, task.done)
  }
  for (const link of world.links[self]!) {
    if (!link.up || !world.mayRun(link.to, task.model, task.done, task.home)) continue
    const travel = host.linkBacklog(link.to) + size / link.rate + link.latency
    const cost = travel + table.backlog(link.to) + world.blockTime(link.to, task.model, task.done)
    if (cost < bestCost) {
      best = link.to
      bestCost = cost
    }
  }
  return best
}

const towardsNearestCarrier = (host: PolicyHost, task: TaskState): Decision => {
  const { world, self } = host
  const size = world.models[task.model]!.activations[task.done]!
  const way = shortestTransfer(world, self, size, n => n !== self && world.mayRun(n, task.model, task.done, task.home))
  if (way === undefined) return { kind: 'wait', block: task.done }
  const steps = way.hops.map((device, i): Step => ({ device, until: task.done + (i === way.hops.length - 1 ? 1 : 0) }))
  return { kind: 'go', steps }
}
