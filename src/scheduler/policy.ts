import type { Step } from '../core/step.ts'
import type { Seconds } from '../core/units.ts'
import type { WholeModels } from '../core/whole-models.ts'
import type { World } from '../core/world.ts'

export type { Step }

/** One datum, where it stands. Devices and models by their numbers in the world. */
export interface TaskState {
  /** The source, by name; with `datum` it names the datum in its cluster. */
  readonly source: string
  readonly datum: number
  readonly model: number
  /** The source's device: where the result must go. */
  readonly home: number
  readonly weight: number
  /** The network is slower than its source, as far as is known: `BacklogSign`. Known at the source's device. */
  readonly isBacklogged: boolean
  /** How far its source was behind its fair share when it was admitted, as its policy says; 0 where that does not matter. */
  readonly lag: Seconds
  /** When the datum was available at its source, on the clock of the device that asks. */
  readonly availableAt: Seconds
  /** Its result is wanted so long after it was available; absent: whenever it comes. */
  readonly deadline?: Seconds | undefined
  /** When it arrived at the device that asks: from its source, or from another device. Blocks that run here do not change it. */
  readonly arrivedAt: Seconds
  /** Blocks finished. */
  readonly done: number
}

/** With the steps that were decided for it and are still ahead. */
export interface RoutedTask extends TaskState {
  readonly route: readonly Step[]
}

/**
 * What a policy says about a task:
 * - `go`: the next steps, at least one. Those that are not given are asked for later (`next`). With how far its source is
 *   behind its fair share, from policies that mind.
 * - `wait`: no reachable device carries block `block`; ask again when the world changes.
 * - `cannot`: this policy cannot serve this model in this network at all, and why, in words for a person.
 */
export type Decision =
  | { readonly kind: 'go'; readonly steps: readonly Step[]; readonly lag?: Seconds }
  | { readonly kind: 'wait'; readonly block: number }
  | { readonly kind: 'cannot'; readonly because: string }

/** What the policy of one device tells the others'. */
export interface Report {
  /** Work waiting or running at the sender's worker. */
  readonly backlog: Seconds
  /** Work newly committed to resources since the last report, less what was taken back; only from sources that commit paths. */
  readonly commitments: readonly Commitment[]
  /** All work that is committed to the sender's worker, where the sender has begun anew: in place of what it committed there. */
  readonly committed?: Seconds
  /** Tasks that arrived at the sender so far, by the device that sent them. */
  readonly received: readonly { readonly device: number; readonly tasks: number }[]
  /** Tasks at the sender by what they still need; only from policies that compare queues. */
  readonly queues?: readonly CommodityQueue[]
  /** Of the sender's sources whose windows are full; only from policies that mind fair shares. */
  readonly paces?: readonly Pace[]
  /** Of the sender's sources; told for every policy. */
  readonly flow?: Flow
}

/** What comes home to a device. */
export interface Flow {
  /** Data that those of its sources may have under way, together, whose windows find their measure and are full. 0: there are none. */
  readonly window: number
  /** Results of all its sources so far. */
  readonly results: number
  /** What their windows are multiplied by. */
  readonly stretch: number
}

/** How fast a source is served, in data per second, divided by its weight. */
export interface Pace {
  readonly source: string
  readonly pace: number
}

/** Tasks of one model, with so many blocks done, on their way to one home. */
export interface CommodityQueue {
  readonly model: number
  readonly done: number
  readonly home: number
  readonly tasks: number
}

/** Seconds of work on a worker (`to` = `from`) or on the link between two devices; less than 0 where they are taken back. */
export interface Commitment {
  readonly from: number
  readonly to: number
  readonly seconds: number
}

/**
 * What a policy may ask of the device it runs on. The simulator and the running device both provide it.
 * All policies of one network work on copies of the same kind of knowledge; none can look into another device.
 */
export interface PolicyHost {
  readonly self: number
  readonly world: World
  /** Seconds of work waiting or running at this device's worker. */
  backlog(): Seconds
  /** Seconds until the link to a neighbour has sent what waits for it. */
  linkBacklog(to: number): Seconds
  /** Every task that is here: in the lane, waiting for a link, or waiting for a block. */
  tasks(): Iterable<TaskState>
}

/**
 * Decides, on one device, where tasks go and which is served first. Pure: time comes in as `now`, everything else
 * through the host. One instance per device; instances talk only by reports.
 *
 *   available at a source ──▶ admit ──▶ steps ──▶ queue of this worker, by `rank` ──▶ block runs ──▶ next ──▶ …
 *                                          └────▶ queue of a link, by `rank`, `beforeSend` ──▶ another device
 */
export interface Policy {
  readonly name: string
  /** Between two reports, as many devices as there are now. */
  readonly reportInterval: () => Seconds
  /** Where it has a use for whole models, or for models in pipelines. Absent: it can part them in any way. */
  readonly wholeModels?: WholeModels
  /** True: a task that is to be computed at a neighbour is sent only after that neighbour has cleared it. */
  readonly asksFirst?: boolean
  /** A datum enters here, or must be routed again from here: its carrier was lost, or refused it. */
  admit(task: TaskState, now: Seconds): Decision
  /** The task has no steps left here and blocks remain. (The way home is the same for all: `nextSteps`.) */
  next(task: TaskState, now: Seconds): Decision
  /**
   * What is known here has changed much, and these tasks, which waited here, have been taken out of their queues: each
   * that is not finished is asked about by `next`, in this order. Absent: what was decided stays.
   */
  startAnew?(tasks: readonly RoutedTask[], now: Seconds): void
  /** Its turn on the link to `step.device` has come; a policy that looks again may send it elsewhere. */
  beforeSend?(task: TaskState, steps: readonly Step[], now: Seconds): Decision
  /**
   * Waiting tasks are served in the order of this number, smallest first; ties by the datum's number, then by arrival at
   * this device. It must not grow while a task stays here, or data that wait at one device alternate block by block and
   * leave together.
   */
  rank(task: TaskState): number
  /**
   * Tasks of different weights contend by this number when a lane or link is free, the largest wins; it may grow with
   * time. Absent: weights do not matter, `rank` alone decides.
   */
  urgency?(task: TaskState, now: Seconds): number
  /**
   * Asked when its turn has come: whether it is to wait, all the same, for as long as others do for whom this is not true.
   * Only of a task that has a deadline. Absent: nobody gives way.
   */
  yields?(task: TaskState, now: Seconds): boolean
  /** The task left for a neighbour. */
  sent(task: TaskState, to: number, now: Seconds): void
  /** The neighbour it left for did not take it, or was lost: it is here again. Where `sent` is remembered. */
  returned?(task: TaskState, to: number): void
  /** A task arrived from a neighbour. */
  arrived(task: TaskState, from: number, now: Seconds): void
  /** For everybody, every `reportInterval`: commitments are told once. */
  report(now: Seconds): Report
  /** Rides along with a task to one neighbour: a report without commitments. */
  remark(): Report
  heard(from: number, report: Report, now: Seconds): void
  /** Another process has taken this device's place: what is remembered of it is of a former life. */
  forget?(device: number, now: Seconds): void
}

/** Makes the policy of one device; `host` is what that device lets it see. */
export type CreatePolicy = (host: PolicyHost) => Policy
