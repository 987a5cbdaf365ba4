import { cheapestPath, type Path } from '../core/cheapest-path.ts'
import type { PathQuery, Waiting } from '../core/path-query.ts'
import { isFinished } from '../core/progress.ts'
import { remainingTimes } from '../core/remaining-times.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { ExpectedCommitments } from './expected-commitments.ts'
import { FairShare } from './fair-share.ts'
import { OnceASecond } from './once-a-second.ts'
import type { Commitment, CreatePolicy, Decision, Report, TaskState } from './policy.ts'
import { Remembered } from './remembered.ts'
import { reportInterval } from './report-interval.ts'
import { routeUses } from './route-uses.ts'
import { ToldWork } from './told-work.ts'
import { TypicalTimes } from './typical-times.ts'
import { VirtualQueues } from './virtual-queues.ts'

export interface ConfluenceOptions {
  /**
   * V of the price V + U, as a fraction of the datum's work at the network's mean speed. Small: follow the queues;
   * large: prefer the least use of resources. Tied to the model and to the devices that are there, so that scaling all
   * speeds and rates together changes nothing.
   */
  readonly patience: number
  /**
   * a of the price V (1 + U / aV)^a. At 1 it is V + U, and a slow worker's queue, in seconds, is to a fast one's as their
   * speeds: so short that it runs dry between two data. Larger keeps it filled; much larger shuns all queues, also where
   * waiting is cheaper than a detour.
   */
  readonly sharpness: number
  /**
   * What a second of waiting costs, against a second of computing or travelling in an idle network, for a source that the
   * network is fast enough for. At 0 such a source takes the way that is dear to nobody, and stands in queues for it; at 1 it
   * takes the way that is soonest at its end, and uses up what the next ones need.
   */
  readonly waiting: number
}

/**
 * `confluence`: ours. The whole path of a datum is chosen at admission, by the prices of virtual queues.
 *
 * Every worker and every link (or shared medium) has a virtual queue U: the seconds of work committed to it, drained at
 * rate 1, and longer where the resource has become slower. The source searches the layered graph once, at V + U per second
 * of use, commits the path's work to the queues along it, and tells the other sources. A queue is not taken to be much
 * shorter than the backlog that its device reports: costs are estimates. Between two reports the others are expected to commit
 * as much as before. Beyond capacity only prices count, which fill every resource; a source that the network is fast enough for
 * also minds what its datum will wait on the way. Local execution, shipping the whole input, and any
 * split of the model are paths of that graph: which it is, is decided per datum, by price. Where costs have drifted far, what
 * waits is decided anew, and the work of its old paths is taken back. Workers serve the datum first that has waited longest,
 * times its source's weight; where sources are beyond capacity, one that is behind its fair share counts as older by its lag.
 * Below capacity, a datum whose usual way would miss its deadline minds every second that it waits as if it computed, where that
 * brings it home in time. One that cannot make it any more gives way to all others in queues, for as long as its deadline once more.
 * After the layered graph and the virtual-queue prices of UCNC, arXiv 1805.10527.
 */
export const createConfluence =
  ({ patience, sharpness, waiting }: ConfluenceOptions = { patience: 0.7, sharpness: 3, waiting: 0.3 }): CreatePolicy =>
  host => {
    const { world } = host
    /** Of a queue only its length counts here: who had which task by then is not asked. */
    const said = (): Report => ({ backlog: host.backlog(), commitments: [], received: [] })
    const toldWork = new ToldWork()
    const queues = new VirtualQueues(resource => world.dearness(resource))
    const expected = new ExpectedCommitments()
    const typical = new TypicalTimes(world)
    const fair = new FairShare()
    const ways = new OnceASecond<ReturnType<typeof remainingTimes>>(world)
    const since = ({ availableAt, lag }: TaskState): number => availableAt - lag
    let untold: Commitment[] = []
    /** Of a moment ago: what another says of its queue may have left before these came. */
    let told: { readonly at: Seconds; readonly commitments: readonly Commitment[] }[] = []
    /** Since the last report. What the others think of this worker's queue may then be anything. */
    let hasBegunAnew = false
    /** Of the tasks that were seen here. */
    const weights = new Set<number>()
    /**
     * Work that arrives later than its path was thought makes a backlog too: up to so much is no sign of wrong costs. A
     * light datum waits by right, and a heavy one will not wait for it: with several weights no backlog says anything.
     */
    let slack = Number.POSITIVE_INFINITY
    const measureSlack = (): void => {
      slack = weights.size > 1 ? Number.POSITIVE_INFINITY : LATE_DATA * largestWork()
    }
    const largestWork = (): number => {
      let most = 0
      for (const m of world.models.keys()) {
        const time = typical.of(m)
        if (time > most && time < Number.POSITIVE_INFINITY) most = time
      }
      return most
    }

    const resourceOf = ({ from, to }: Commitment): number | undefined =>
      from === to ? world.devices[from]!.resource : world.link(from, to)?.resource

    const commit = (commitment: Commitment, now: Seconds): void => {
      const resource = resourceOf(commitment)
      if (resource !== undefined) queues.commit(resource, commitment.seconds, now)
    }

    const expectFrom = (from: number, commitments: readonly Commitment[], now: Seconds): void => {
      const told = new Map<number, number>()
      for (const commitment of commitments) {
        const resource = resourceOf(commitment)
        if (resource !== undefined) told.set(resource, (told.get(resource) ?? 0) + commitment.seconds)
      }
      expected.heard(from, told, now)
    }

    /** What of it is believed: whoever it is, it has no more data under way than anybody has. */
    const credible = (from: number, commitments: readonly Commitment[], now: Seconds): Commitment[] => {
      const bound = Math.max(LEAST_BOUND, MOST_DATA * largestWork())
      return merge(commitments).flatMap(commitment => {
        const resource = resourceOf(commitment)
        if (resource === undefined) return []
        return [{ ...commitment, seconds: toldWork.credible(from, resource, commitment.seconds, bound, now) }]
      })
    }

    const own = (): number => world.devices[host.self]!.resource
    const committed = (now: Seconds): Pick<Report, 'commitments' | 'committed'> => {
      const commitments = merge(untold)
      if (!hasBegunAnew) return { commitments }
      return {
        commitments: commitments.filter(({ from, to }) => from !== host.self || to !== host.self),
        committed: seconds(queues.at(own(), now))
      }
    }

    const choose = (task: TaskState, now: Seconds): Decision => {
      weights.add(task.weight)
      queues.atLeast(own(), host.backlog() - slack, now)
      const V = seconds(patience * typical.of(task.model))
      const length = lengths.of(world.resources, r => queues.at(r, now) + expected.at(r, now))
      const price = prices.of(world.resources, r => V * (1 + length(r) / (sharpness * V)) ** sharpness)
      const { model, done, home } = task
      // Who comes to a long queue is run with others: it takes its share of their time.
      const takes = (n: number, k: number): Seconds =>
        world.sharedTime(n, model, k, seconds(length(world.devices[n]!.resource)))
      const query = (wait?: Waiting): PathQuery => ({
        world,
        model,
        done,
        home,
        from: host.self,
        price,
        takes: world.batches ? takes : undefined,
        latencyPrice: V,
        leastPrice: V,
        waiting: wait
      })
      const usual = cheapestPath(task.isBacklogged ? query() : query({ until: length, price: seconds(waiting * V) }))
      const left = dueAt(task) - now
      const makesIt = (path: FoundPath): boolean =>
        left === Number.POSITIVE_INFINITY || ('uses' in path && timeOn(world, path, length) <= left)
      const inHaste = (): FoundPath => {
        const hasty = cheapestPath(query({ until: length, price: V }))
        return makesIt(hasty) ? hasty : usual
      }
      const path = task.isBacklogged || makesIt(usual) ? usual : inHaste()
      if ('stuckAt' in path) return { kind: 'wait', block: path.stuckAt }
      for (const use of path.uses) {
        commit(use, now)
        untold.push({ from: use.from, to: use.to, seconds: use.seconds })
      }
      return { kind: 'go', steps: path.steps }
    }

    /** By another, when it said what is heard now. */
    const unheard = (by: number, now: Seconds): Commitment[] => {
      const { self } = host
      const roundTrip = (world.link(self, by)?.latency ?? 0) + (world.link(by, self)?.latency ?? 0)
      const underWay = told.filter(({ at }) => at >= now - roundTrip).flatMap(({ commitments }) => commitments)
      return [...untold, ...underWay].filter(({ from, to }) => from === by && to === by)
    }

    const admit = (task: TaskState, now: Seconds): Decision => {
      const decision = choose(task, now)
      // Others' data come by here too, when they are routed again.
      if (decision.kind !== 'go' || task.home !== host.self || task.done > 0) return decision
      return { kind: 'go', steps: decision.steps, lag: fair.admitted(task.source, task.weight, task.isBacklogged, now) }
    }

    return {
      name: 'confluence',
      reportInterval: () => reportInterval(host.world),
      admit,
      next: choose,
      startAnew: (tasks, now) => {
        // The way home of a result is nobody's choice: what was committed for it stays.
        const unfinished = tasks.filter(task => !isFinished(world, task))
        for (const use of merge(unfinished.flatMap(task => routeUses(world, host.self, task)))) {
          const takenBack = { ...use, seconds: seconds(-use.seconds) }
          commit(takenBack, now)
          untold.push(takenBack)
        }
        queues.atLeast(own(), host.backlog(), now)
        hasBegunAnew = true
      },
      rank: since,
      // Accumulating priority (Kleinrock, 1964): under overload, with equal windows, the times that sources wait come to be
      // in inverse proportion to their weights, and so their rates in proportion; under capacity a heavier one waits less.
      urgency: (task, now) => task.weight * (now - since(task)),
      yields: (task, now) => {
        const { deadline, model, home, done } = task
        if (deadline === undefined || isFinished(world, task)) return false
        const due = dueAt(task)
        if (now >= due + deadline) return false
        const remaining = ways.get(`${model} ${home}`, now, () => remainingTimes(world, model, home))
        return now + remaining(host.self, done) > due
      },
      sent: () => {},
      arrived: task => {
        weights.add(task.weight)
      },
      report: (now): Report => {
        measureSlack()
        expected.reported(now)
        const news = { ...said(), ...committed(now), paces: fair.paces(now) }
        told = told.filter(({ at }) => now - at < LONGEST_ROUND_TRIP)
        if (news.commitments.length > 0) told.push({ at: now, commitments: news.commitments })
        untold = []
        hasBegunAnew = false
        return news
      },
      remark: said,
      heard: (from, report, now) => {
        if (report.paces !== undefined) fair.heard(from, report.paces, now)
        // Remarks, and reports of devices without sources, tell of none.
        const commitments = credible(from, report.commitments, now)
        if (commitments.length > 0) expectFrom(from, commitments, now)
        queues.atLeast(world.devices[from]!.resource, report.backlog - slack, now)
        if (report.committed !== undefined) {
          queues.set(world.devices[from]!.resource, report.committed, now)
          for (const commitment of unheard(from, now)) commit(commitment, now)
        }
        for (const commitment of commitments) commit(commitment, now)
      },
      forget: (device, now) => {
        for (const [resource, left] of toldWork.forget(device, now)) queues.commit(resource, -left, now)
      }
    }
  }

/** A choice is made before another begins, whosever it is: they share the tables, which are as large as the network. */
const lengths = new Remembered()
const prices = new Remembered()

type FoundPath = ReturnType<typeof cheapestPath>

/** When its result is to be home; infinite where it does not matter. */
const dueAt = ({ availableAt, deadline }: TaskState): number => availableAt + (deadline ?? Number.POSITIVE_INFINITY)

/** Seconds until a datum that begins now is at the end of its path, waiting at each resource until that is free. */
const timeOn = (world: World, { uses }: Path, until: (resource: number) => number): number =>
  uses.reduce((elapsed, { from, to, resource, seconds: own, takes }) => {
    const latency = from === to ? 0 : (world.link(from, to)?.latency ?? 0)
    // What other lanes have to do is in nobody's way.
    return Math.max(elapsed, until(resource) - (takes - own)) + takes + latency
  }, 0)

/** Between devices that work together. */
const LONGEST_ROUND_TRIP: Seconds = seconds(1)

/** Data whose whole work may be late at a device before its queue is taken to be longer than thought. */
const LATE_DATA = 2

/** Of the largest model: no device is believed to have more of them under way to one resource. */
const MOST_DATA = 128
/** In seconds, where data are small: many may be told of at once. */
const LEAST_BOUND = 10

/** One entry for each resource. */
const merge = (commitments: readonly Commitment[]): Commitment[] => {
  const merged = new Map<string, Commitment>()
  for (const { from, to, seconds: work } of commitments) {
    const key = `${from} ${to}`
    merged.set(key, { from, to, seconds: (merged.get(key)?.seconds ?? 0) + work })
  }
  return [...merged.values()]
}
