import { blocksOf } from '../core/progress.ts'
import { shortestTransfer } from '../core/shortest-transfer.ts'
import { seconds } from '../core/units.ts'
import { BacklogTable } from './backlog-table.ts'
import type { CreatePolicy, Decision, PolicyHost, Step, TaskState } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'

const timeFrom = ({ world }: PolicyHost, device: number, model: number, first: number): number =>
  world.models[model]!.work.reduce((sum, _, k) => (k < first ? sum : sum + world.blockTime(device, model, k)), 0)

/**
 * `ddi`, data-distributed inference: whole inputs go to workers that carry the whole model (Li, Seferoglu, Koyuncu,
 * ICASSPW 2023, name it as the baseline). The sources do not fix which worker; ours takes the one that is expected to
 * finish first: backlog of the way, transfer, backlog of the worker as it last said, and the whole model's time there.
 * A source that carries the whole model is one of its own workers. Where the first block is pinned to the source, what that
 * block makes is what is sent. A worker is one stage: it serves data in the order in which they arrive at it, each to its end.
 */
export const createDdi: CreatePolicy = host => {
  const reporting = new Reporting(host)
  const table = new BacklogTable(host.self)

  /** Blocks that a datum runs at home before it may go elsewhere. */
  const first = (model: number): number => (host.world.isPinned(model, 0) ? 1 : 0)

  const finish = (device: number, task: TaskState): { readonly at: number; readonly hops: readonly number[] } => {
    const { model } = task
    const compute = timeFrom(host, device, model, device === host.self ? 0 : first(model))
    if (device === host.self) return { at: host.backlog() + compute, hops: [] }
    const size = host.world.models[model]!.activations[Math.max(task.done, first(model))]!
    const way = shortestTransfer(host.world, host.self, size, n => n === device)
    if (way === undefined) return { at: Number.POSITIVE_INFINITY, hops: [] }
    const before = task.done < first(model) ? host.backlog() + host.world.blockTime(host.self, model, 0) : 0
    return {
      at: before + host.linkBacklog(way.hops[0]!) + way.takes + table.backlog(device) + compute,
      hops: way.hops
    }
  }

  const admit = (task: TaskState): Decision => {
    const { model, done, home } = task
    const blocks = blocksOf(host.world, model)
    const carriers = host.world.devices.flatMap((_, n) => (host.world.carriesAll(n, model) ? [n] : []))
    if (carriers.length === 0)
      return { kind: 'cannot', because: 'no device carries the whole model, and ddi needs one that does' }
    const isBound = done < first(model)
    if (isBound && !host.world.mayRun(host.self, model, 0, home)) return { kind: 'wait', block: 0 }
    const best = carriers.map(n => finish(n, task)).reduce((a, b) => (b.at < a.at ? b : a))
    if (best.at === Number.POSITIVE_INFINITY) return { kind: 'wait', block: done }
    if (best.hops.length === 0) return { kind: 'go', steps: [{ device: host.self, until: blocks }] }
    const until = isBound ? first(model) : done
    const relays = best.hops.slice(0, -1).map((device): Step => ({ device, until }))
    const here: readonly Step[] = isBound ? [{ device: host.self, until }] : []
    return { kind: 'go', steps: [...here, ...relays, { device: best.hops.at(-1)!, until: blocks }] }
  }

  return {
    name: 'ddi',
    wholeModels: 'everywhere',
    reportInterval: () => reportInterval(host.world),
    admit,
    next: admit,
    rank: task => task.arrivedAt,
    sent: (task, to) => {
      const time = task.done <= first(task.model) ? timeFrom(host, to, task.model, task.done) : 0
      table.sent(task, to, seconds(time / host.world.devices[to]!.lanes))
    },
    returned: (task, to) => table.returned(task, to),
    arrived: (_, from) => reporting.arrived(from),
    report: () => reporting.report(),
    remark: () => reporting.report(),
    heard: (from, report) => table.heard(from, report),
    forget: device => table.forget(device)
  }
}
