import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { Tensor } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { World } from '../../core/world.ts'
import { nextSteps } from '../../scheduler/next-steps.ts'
import type { CreatePolicy, Decision, Policy, PolicyHost } from '../../scheduler/policy.ts'
import { LaneQueue } from './lane-queue.ts'
import { LinkQueue, type SendTask } from './link-queue.ts'
import { type LiveTask, taskState } from './live-task.ts'

/** What the dispatcher needs of the device around it. */
export interface DispatcherPorts {
  readonly clock: Clock
  readonly world: World
  readonly self: number
  /** Run block `task.done` of the task: the next activation, and the time it took. */
  readonly runBlock: (task: LiveTask) => Promise<{ readonly tensors: readonly Tensor[]; readonly took: Seconds }>
  readonly send: SendTask
  /** The task is complete and at home. */
  readonly deliver: (task: LiveTask) => void
  /** The task cannot be computed here, and why; the source decides what next. */
  readonly failed: (task: LiveTask, because: string) => void
  /** `peer` took the task over. */
  readonly handedOver: (task: LiveTask, peer: DeviceId) => void
}

export interface WaitingTask {
  readonly task: LiveTask
  readonly because: Extract<Decision, { kind: 'wait' | 'cannot' }>
}

/** A task that is refused this often without moving is given back to its source. */
const MAX_REFUSALS = 8

/**
 * Moves tasks through one device: asks the policy, queues for the lane or for a link, runs, sends, delivers.
 *
 *   submit / arrive ──▶ proceed ──▶ lane ──▶ block done ──▶ proceed …
 *                          ├──────▶ link queue ──▶ handed over, or refused / lost ──▶ decided anew
 *                          ├──────▶ waiting (no device carries the block) ──▶ worldChanged ──▶ decided anew
 *                          └──────▶ deliver (complete and at home)
 *
 * Every task here is in exactly one of: the lane, one link queue, waiting.
 */
export class Dispatcher {
  readonly policy: Policy
  readonly #ports: DispatcherPorts
  readonly #lane: LaneQueue
  readonly #links = new Map<number, LinkQueue>()
  #waiting: WaitingTask[] = []

  constructor(createPolicy: CreatePolicy, ports: DispatcherPorts) {
    this.#ports = ports
    const host: PolicyHost = {
      self: ports.self,
      world: ports.world,
      backlog: () => this.#lane.backlog(),
      linkBacklog: to => this.#links.get(to)?.backlog() ?? seconds(0)
    }
    this.policy = createPolicy(host)
    this.#lane = new LaneQueue({
      ...ports,
      rank: task => this.policy.rank(taskState(task)),
      finished: task => this.#proceed(task)
    })
  }

  /** A datum of a source of this device. */
  submit(task: LiveTask): void {
    this.#apply(task, this.policy.admit(taskState(task), this.#ports.clock.now()))
  }

  /** A task from a neighbour, with the rest of its route. */
  arrive(task: LiveTask, from: number): void {
    this.policy.arrived(taskState(task), from, this.#ports.clock.now())
    this.#proceed(task)
  }

  /** Devices, blocks or links changed: what waits may go on, what is queued for somebody who is gone may not. */
  worldChanged(): void {
    const { world } = this.#ports
    for (const [to, queue] of this.#links) {
      if (!world.devices[to]!.up) for (const task of queue.abandon()) this.#again(task)
    }
    for (const task of this.#lane.takeOut(t => !world.carries(this.#ports.self, t.modelIndex, t.done)))
      this.#again(task)
    const waiting = this.#waiting
    this.#waiting = []
    for (const { task } of waiting) this.#again(task)
  }

  waiting(): readonly WaitingTask[] {
    return this.#waiting
  }

  /** Tasks in the lane and in link queues. */
  queued(): { readonly lane: number; readonly links: number; readonly waiting: number } {
    const links = [...this.#links.values()].reduce((sum, queue) => sum + queue.size, 0)
    return { lane: this.#lane.size, links, waiting: this.#waiting.length }
  }

  laneCounters(): { readonly tasks: number; readonly busy: Seconds } {
    return this.#lane.counters()
  }

  /** Whether a block is queued or running in the lane: it must not be unloaded now. */
  uses(model: number, block: number): boolean {
    return this.#lane.uses(model, block)
  }

  /** Forget every task of this source: its datum was given up, or it is done by a twin. */
  cancel(belongs: (task: LiveTask) => boolean): void {
    this.#lane.takeOut(belongs)
    for (const queue of this.#links.values()) queue.takeOut(belongs)
    this.#waiting = this.#waiting.filter(({ task }) => !belongs(task))
  }

  #again(task: LiveTask): void {
    task.route = []
    const { world, clock } = this.#ports
    const finished = task.done === world.models[task.modelIndex]!.work.length
    const now = clock.now()
    this.#apply(
      task,
      finished ? nextSteps(this.policy, this.#ports, taskState(task), now) : this.policy.admit(taskState(task), now)
    )
  }

  #apply(task: LiveTask, decision: Decision): void {
    if (decision.kind !== 'go') {
      this.#waiting.push({ task, because: decision })
      return
    }
    task.route = decision.steps
    this.#proceed(task)
  }

  #proceed(task: LiveTask): void {
    const { world, self, clock } = this.#ports
    task.queuedAt = clock.now()
    while (task.route[0]?.device === self && task.route[0].until <= task.done) task.route = task.route.slice(1)
    const blocks = world.models[task.modelIndex]!.work.length
    if (task.done === blocks && task.home === self) {
      this.#ports.deliver(task)
      return
    }
    const step = task.route[0]
    if (step === undefined) this.#apply(task, nextSteps(this.policy, this.#ports, taskState(task), clock.now()))
    else if (step.device === self) {
      if (world.carries(self, task.modelIndex, task.done)) this.#lane.push(task)
      else this.#refused(task)
    } else if (world.devices[step.device]?.up === true && world.link(self, step.device)?.up === true) {
      this.#linkQueue(step.device).push(task)
    } else this.#refused(task)
  }

  /** The route cannot be followed: decide anew, but not for ever. */
  #refused(task: LiveTask): void {
    task.refusals++
    if (task.refusals > MAX_REFUSALS)
      this.#ports.failed(task, `no way on after ${MAX_REFUSALS} refusals at block ${task.done}`)
    else this.#again(task)
  }

  #linkQueue(to: number): LinkQueue {
    const known = this.#links.get(to)
    if (known !== undefined) return known
    const queue = new LinkQueue({
      clock: this.#ports.clock,
      world: this.#ports.world,
      self: this.#ports.self,
      to,
      rank: task => this.policy.rank(taskState(task)),
      beforeSend: task => this.#lookAgain(task, to),
      send: (task, peer) => {
        this.policy.sent(taskState(task), to, this.#ports.clock.now())
        return this.#ports.send(task, peer)
      },
      accepted: task => this.#ports.handedOver(task, this.#ports.world.devices[to]!.id),
      refused: task => this.#refused(task)
    })
    this.#links.set(to, queue)
    return queue
  }

  /** @returns true when the task is still for this link; otherwise it has been queued elsewhere */
  #lookAgain(task: LiveTask, to: number): boolean {
    const decision = this.policy.beforeSend?.(taskState(task), task.route, this.#ports.clock.now())
    if (decision === undefined) return true
    if (decision.kind === 'go' && decision.steps[0]?.device === to) {
      task.route = decision.steps
      return true
    }
    this.#apply(task, decision)
    return false
  }
}
