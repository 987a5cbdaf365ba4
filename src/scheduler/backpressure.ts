import { isFinished } from '../core/progress.ts'
import { type RemainingTime, remainingTimes } from '../core/remaining-times.ts'
import type { Seconds } from '../core/units.ts'
import { fastestWay } from './fastest-way.ts'
import { OnceASecond } from './once-a-second.ts'
import type { CommodityQueue, CreatePolicy, Decision, Report, Step, TaskState } from './policy.ts'
import { reportInterval } from './report-interval.ts'
import { Reporting } from './reporting.ts'
import { TypicalTimes } from './typical-times.ts'

export interface BackpressureOptions {
  /** How many queued tasks a way that is longer by the model's typical time is worth. */
  readonly bias: number
}

/**
 * `backpressure`: max-weight on queue differences, after DCNC (dynamic cloud network control), Feng et al.,
 * arXiv 1708.09561.
 *
 * Stated by the source: every node has a queue per commodity, here (model, blocks done, home); in each slot it processes or
 * sends the commodity with the largest product of queue difference and rate; queues carry a bias towards the shortest way
 * (the paper's enhanced variant), without which data wander while queues are short.
 * Reconstructed: there are no slots: the choice is made for each task when it enters a device, between running the next
 * block here, at weight (Q(k) - Q(k+1)) / e, and each link, at weight (Q_here(k) - Q_there(k)) rate / bytes, where Q is the
 * number of tasks of that commodity plus the bias times the unloaded time that remains from there. A task stays one task
 * when a block is done, so that the paper's scaling of flows is 1; its costs of resources are left out.
 * Our choice: neighbours' queues are those last heard, plus what was sent since; where no weight is positive the task
 * takes the shortest way: it never waits for a gradient. A task that was passed on unprocessed is passed on again only
 * towards its end, so that it cannot go round and round. Within a device data are served by arrival at it: the paper chooses
 * among commodities and leaves open which datum of one comes first; those that have waited longest serve it best.
 */
export const createBackpressure =
  ({ bias }: BackpressureOptions = { bias: 6 }): CreatePolicy =>
  host => {
    const { world, self } = host
    const reporting = new Reporting(host)
    const typicals = new TypicalTimes(world)
    const ways = new OnceASecond<{ readonly remaining: RemainingTime; readonly typical: Seconds }>(world)
    /** Tasks by commodity at each neighbour, as last heard, and sent there since. */
    const heard = new Map<number, Map<string, number>>()
    /** Blocks done when it arrived here, of each task that did. */
    const passedOn = new Map<string, number>()

    /** Tasks here with `k` blocks done, of the same model and home. */
    const countHere = ({ model, home }: TaskState, k: number): number => {
      let count = 0
      for (const other of host.tasks()) if (other.done === k && other.model === model && other.home === home) count++
      return count
    }

    const here = (): Map<string, number> => {
      const counts = new Map<string, number>()
      for (const task of host.tasks()) {
        const key = commodity(task.model, task.done, task.home)
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      return counts
    }

    const decide = (task: TaskState, now: Seconds): Decision => {
      const { model, done, home } = task
      const { activations } = world.models[model]!
      const { remaining, typical } = ways.get(`${model} ${home}`, now, () => ({
        remaining: remainingTimes(world, model, home),
        typical: typicals.of(model)
      }))
      if (!Number.isFinite(remaining(self, done))) {
        const way = fastestWay(world, self, task)
        return { kind: 'wait', block: typeof way === 'number' ? way : done }
      }
      const biased = (tasks: number, device: number, k: number): number =>
        tasks + (bias * remaining(device, k)) / typical
      const pressure = biased(countHere(task, done), self, done)
      // A block that runs here and nowhere else has nothing to gain by a walk.
      const isBound = world.isPinned(model, done) && self === home
      const wasPassedOn = passedOn.get(nameOf(task)) === done
      let best: { readonly weight: number; readonly step: Step } | undefined
      const consider = (weight: number, step: Step): void => {
        if (weight > (best?.weight ?? 0)) best = { weight, step }
      }
      if (world.mayRun(self, model, done, home) && Number.isFinite(remaining(self, done + 1))) {
        const weight = (pressure - biased(countHere(task, done + 1), self, done + 1)) / world.use(self, model, done)
        consider(weight, { device: self, until: done + 1 })
      }
      for (const link of world.links[self]!) {
        if (!link.up || !world.devices[link.to]!.up || isBound || !world.mayVisit(link.to, model, done, home)) continue
        const there = remaining(link.to, done)
        if (!Number.isFinite(there) || (wasPassedOn && there >= remaining(self, done))) continue
        const tasks = heard.get(link.to)?.get(commodity(model, done, home)) ?? 0
        const weight = ((pressure - biased(tasks, link.to, done)) * link.rate) / Math.max(1, activations[done]!)
        consider(weight, { device: link.to, until: done })
      }
      const step = best?.step ?? shortestStep(task, remaining)
      if (step.until > done) passedOn.delete(nameOf(task))
      return { kind: 'go', steps: [step] }
    }

    /** The first step of the shortest unloaded way. */
    const shortestStep = ({ model, done, home }: TaskState, remaining: RemainingTime): Step => {
      const { activations } = world.models[model]!
      let step: Step = { device: self, until: done + 1 }
      let least = world.mayRun(self, model, done, home)
        ? world.blockTime(self, model, done) + remaining(self, done + 1)
        : Number.POSITIVE_INFINITY
      for (const link of world.links[self]!) {
        if (!link.up || !world.devices[link.to]!.up || !world.mayVisit(link.to, model, done, home)) continue
        const time = activations[done]! / link.rate + link.latency + remaining(link.to, done)
        if (time < least) {
          least = time
          step = { device: link.to, until: done }
        }
      }
      return step
    }

    const report = (): Report => ({ ...reporting.report(), queues: queuesOf(here()) })

    return {
      name: 'backpressure',
      reportInterval: () => reportInterval(host.world),
      admit: decide,
      next: decide,
      rank: task => task.arrivedAt,
      sent: (task, to) => {
        passedOn.delete(nameOf(task))
        const counts = heard.get(to) ?? new Map<string, number>()
        const key = commodity(task.model, task.done, task.home)
        heard.set(to, counts.set(key, (counts.get(key) ?? 0) + 1))
      },
      arrived: (task, from) => {
        reporting.arrived(from)
        if (!isFinished(world, task)) passedOn.set(nameOf(task), task.done)
      },
      report,
      remark: report,
      heard: (from, { queues }) => {
        heard.set(from, new Map(queues?.map(q => [commodity(q.model, q.done, q.home), q.tasks] as const)))
      }
    }
  }

const commodity = (model: number, done: number, home: number): string => `${model} ${done} ${home}`
const nameOf = ({ source, datum }: TaskState): string => `${source} ${datum}`

const queuesOf = (counts: ReadonlyMap<string, number>): CommodityQueue[] =>
  [...counts].map(([key, tasks]) => {
    const [model, done, home] = key.split(' ').map(Number) as [number, number, number]
    return { model, done, home, tasks }
  })
