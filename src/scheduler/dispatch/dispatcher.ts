import { isFinished } from '../../core/progress.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { nextSteps } from '../next-steps.ts'
import type { CreatePolicy, Decision, Policy, PolicyHost } from '../policy.ts'
import { Clearance } from './clearance.ts'
import type { ContestRules } from './contest-queue.ts'
import { DriftWatch } from './drift-watch.ts'
import { type LanePorts, LaneQueue } from './lane-queue.ts'
import { type Handshake, type LinkPorts, LinkQueue, type SendTask } from './link-queue.ts'
import type { LiveTask } from './live-task.ts'

/** What the dispatcher needs of the device around it, real or simulated. Callbacks, so that simulated time needs no promises. */
export interface DispatcherPorts<T extends LiveTask> extends LanePorts<T>, LinkPorts<T> {
  readonly send: SendTask<T>
  /** The task is at home, and complete or as far as it was to come. */
  readonly deliver: (task: T) => void
  /** Device `to` took the task over. */
  readonly handedOver: (task: T, to: number) => void
  /** Ask a neighbour whether a task may come; it answers through `asked` there. For policies that ask first. */
  readonly ask: (to: number, weight: number, granted: () => void) => void
  readonly giveBack: (to: number) => void
  /**
   * Whose work a task is, in one way or several, where devices may say what is not so: no weight and no age gives one of them all
   * turns while others wait. Absent: all are believed.
   */
  readonly partiesOf?: (task: T) => readonly unknown[]
  /**
   * The policy has thrown: a task that it was asked about waits until the world changes, and its error is told here.
   * Absent: it is thrown on.
   */
  readonly policyFailed?: (error: unknown) => void
}

export interface WaitingTask<T extends LiveTask> {
  readonly task: T
  readonly because: Extract<Decision, { kind: 'wait' | 'cannot' }>
  /** Present where it was refused too often for another try at once. */
  readonly rest?: Rest
}

/** Until when a refused task is left alone, unless what can be reached changes before. */
interface Rest {
  readonly until: Seconds
  /** `World.reach` when it was refused. */
  readonly reach: number
}

/** So often a task that is refused is decided anew at once; what is believed may just have been old. */
const AT_ONCE = 3
/** After that it rests, each time twice as long. A refusal says nothing of the datum: it is never given up for one. */
const FIRST_REST: Seconds = seconds(0.05)
const LONGEST_REST: Seconds = seconds(2)

/**
 * Moves tasks through one device: asks the policy, queues for the lane or for a link, runs, sends, delivers. The
 * simulator and the running device drive this same code.
 *
 *   submit / arrive ──▶ proceed ──▶ lane ──▶ block done ──▶ proceed …
 *                          ├──────▶ link queue ──▶ handed over, or refused / lost ──▶ decided anew
 *                          ├──────▶ waiting (no device carries the block, or refused often) ──▶ worldChanged ──▶ decided anew
 *                          └──────▶ deliver (complete and at home)
 *
 * Every task here is in exactly one of: the lane, one link queue, waiting.
 */
export class Dispatcher<T extends LiveTask> {
  readonly policy: Policy
  readonly #ports: DispatcherPorts<T>
  readonly #rules: ContestRules<T>
  readonly #lane: LaneQueue<T>
  readonly #links = new Map<number, LinkQueue<T>>()
  readonly #clearance = new Clearance()
  readonly #drift: DriftWatch
  #waiting: WaitingTask<T>[] = []
  #arrivals = 0

  constructor(createPolicy: CreatePolicy, ports: DispatcherPorts<T>) {
    this.#ports = ports
    const host: PolicyHost = {
      self: ports.self,
      world: ports.world,
      backlog: () => this.#lane.backlog(),
      linkBacklog: to => this.#links.get(to)?.backlog() ?? seconds(0),
      tasks: () => this.tasks()
    }
    this.policy = createPolicy(host)
    this.#drift = new DriftWatch(ports.world, ports.self)
    this.#rules = this.#order()
    this.#lane = new LaneQueue({
      ports,
      rules: this.#rules,
      finished: task => this.#proceed(task),
      notHere: task => this.#refused(task)
    })
  }

  /** A datum of a source of this device; one that comes with a route goes that way. */
  submit(task: T): void {
    this.#enter(task)
    task.inBulk = task.isBacklogged
    task.keepsRoute = task.route.length > 0
    if (task.keepsRoute) this.#proceed(task)
    else this.#decide(task, () => this.policy.admit(task, this.#ports.now()))
  }

  /** A task from a neighbour, with the rest of its route. */
  arrive(task: T, from: number): void {
    this.#enter(task)
    this.#note(() => this.policy.arrived(task, from, this.#ports.now()))
    this.#proceed(task)
    this.#clearance.end(from, this.#ports.now())
  }

  /** A neighbour asks to send a task; `grant` is called when it may. */
  asked(from: number, weight: number, grant: () => void): void {
    this.#clearance.ask({ from, weight, grant }, this.#ports.now())
  }

  /** Called often: what a neighbour was asked and has not answered is asked again, since notices may be lost. */
  remind(): void {
    for (const queue of this.#links.values()) queue.remind()
  }

  /** What was cleared for this neighbour will not come. */
  givenBack(from: number): void {
    this.#clearance.end(from, this.#ports.now())
  }

  /** Another process has taken the place of this device: what its former life reported, and had, is gone. */
  forget(device: number): void {
    const nothing = { backlog: seconds(0), committed: seconds(0), commitments: [], received: [], queues: [] }
    this.policy.heard(device, nothing, this.#ports.now())
    this.policy.forget?.(device, this.#ports.now())
  }

  /**
   * Devices, blocks or links changed: what waits may go on, what is queued for somebody who is gone may not. Called often,
   * too: what was refused is tried again when it has rested.
   */
  worldChanged(): void {
    const { world, self } = this.#ports
    for (const [n, { up }] of world.devices.entries()) if (!up) this.#clearance.lost(n, this.#ports.now())
    for (const [to, queue] of this.#links) {
      if (world.devices[to]!.up) {
        if (!world.devices[self]!.up) queue.lookAgain()
        continue
      }
      queue.forgetClearance()
      for (const task of queue.takeOut(() => true)) this.#again(task)
    }
    this.#lane.worldChanged()
    for (const task of this.#lane.takeOut(t => !world.carries(self, t.model, t.done))) this.#again(task)
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (this.#mayGoOn(one)) this.#again(one.task)
      else this.#waiting.push(one)
    }
  }

  #mayGoOn({ rest }: WaitingTask<T>): boolean {
    return rest === undefined || rest.reach !== this.#ports.world.reach || rest.until <= this.#ports.now()
  }

  /**
   * Called often. Where what was believed has drifted far from what is (a block takes twice as long, a link is cut, a
   * device is back), tasks that wait for this lane or its links are decided anew, for policies that wish it.
   * @returns whether they were
   */
  reconsider(): boolean {
    const { now } = this.#ports
    this.#lane.look()
    if (this.policy.startAnew === undefined || !this.#drift.isDue(now())) return false
    const tasks = [this.#lane, ...this.#links.values()].flatMap(queue =>
      queue.takeOut(task => task.keepsRoute !== true)
    )
    this.#note(() => this.policy.startAnew!(tasks, now()))
    for (const task of tasks) this.#decide(task, () => nextSteps(this.policy, this.#ports, task, now()))
    return true
  }

  /** All that are here, but for those that are being sent just now. */
  *tasks(): Iterable<T> {
    yield* this.#lane.tasks()
    for (const queue of this.#links.values()) yield* queue.tasks()
    for (const { task } of this.#waiting) yield task
  }

  /** Whether such a task is here; one that is being sent just now is not. */
  has(wanted: (task: T) => boolean): boolean {
    for (const task of this.tasks()) if (wanted(task)) return true
    return false
  }

  /** Whether such a task is here and no block runs on it now. */
  waits(wanted: (task: T) => boolean): boolean {
    for (const task of this.tasks()) if (wanted(task)) return !this.#lane.isRunning(task)
    return false
  }

  waiting(): readonly WaitingTask<T>[] {
    return this.#waiting
  }

  /** Tasks in the lane, in link queues, and waiting. */
  queued(): { readonly lane: number; readonly links: number; readonly waiting: number } {
    let links = 0
    for (const queue of this.#links.values()) links += queue.size
    return { lane: this.#lane.size, links, waiting: this.#waiting.length }
  }

  laneCounters(): { readonly tasks: number; readonly busy: Seconds } {
    return this.#lane.counters()
  }

  /** Whether a block is queued or running in the lane: it must not be unloaded now. */
  uses(model: number, block: number): boolean {
    return this.#lane.uses(model, block)
  }

  /** Forget tasks: their datum was given up, or is done by a duplicate. A block that runs finishes and is then forgotten by its source. @returns whether any waited here */
  cancel(belongs: (task: T) => boolean): boolean {
    const before = this.#waiting.length
    this.#waiting = this.#waiting.filter(({ task }) => !belongs(task))
    let count = before - this.#waiting.length + this.#lane.takeOut(belongs).length
    for (const queue of this.#links.values()) count += queue.takeOut(belongs).length
    return count > 0
  }

  #enter(task: T): void {
    task.arrivedAt = this.#ports.now()
    task.turn = this.#arrivals++
  }

  #again(task: T): void {
    task.route = []
    task.keepsRoute = false
    const { world, now } = this.#ports
    this.#decide(task, () =>
      isFinished(world, task) ? nextSteps(this.policy, this.#ports, task, now()) : this.policy.admit(task, now())
    )
  }

  /** A task is never lost to a policy that fails: it waits, and is asked about again. */
  #decide(task: T, ask: () => Decision): void {
    const { policyFailed } = this.#ports
    let decision: Decision
    try {
      decision = ask()
    } catch (error) {
      if (policyFailed === undefined) throw error
      policyFailed(error)
      const because = `the policy ${this.policy.name} failed: ${error instanceof Error ? error.message : error}`
      decision = { kind: 'cannot', because }
    }
    this.#apply(task, decision)
  }

  /** The policy is to know, or may say something; where it fails at that, what happens goes on. */
  #note<R>(tell: () => R): R | undefined {
    const { policyFailed } = this.#ports
    try {
      return tell()
    } catch (error) {
      if (policyFailed === undefined) throw error
      policyFailed(error)
      return undefined
    }
  }

  #apply(task: T, decision: Decision): void {
    if (decision.kind !== 'go') {
      this.#waiting.push({ task, because: decision })
      return
    }
    task.route = decision.steps
    task.keepsRoute = false
    task.lag = decision.lag ?? task.lag
    this.#proceed(task)
  }

  #proceed(task: T): void {
    const { world, self, now } = this.#ports
    while (task.route[0]?.device === self && task.route[0].until <= task.done) task.route = task.route.slice(1)
    if (task.home === self && (isFinished(world, task) || task.done >= (task.until ?? Number.POSITIVE_INFINITY))) {
      this.#ports.deliver(task)
      return
    }
    const step = task.route[0]
    if (step === undefined) this.#decide(task, () => nextSteps(this.policy, this.#ports, task, now()))
    else if (step.device === self) {
      if (world.mayRun(self, task.model, task.done, task.home)) this.#lane.push(task)
      else this.#refused(task)
    } else if (world.devices[step.device]?.up === true && world.link(self, step.device)?.up === true) {
      this.#linkQueue(step.device).push(task)
    } else this.#refused(task)
  }

  /** How waiting tasks are served, in the lane and on links. */
  #order(): ContestRules<T> {
    const { policy } = this
    const { urgency, yields } = policy
    return {
      rank: task => policy.rank(task),
      tie: task => task.datum,
      turn: task => task.turn,
      contest:
        urgency === undefined
          ? undefined
          : { classOf: task => task.weight, urgency: task => urgency(task, this.#ports.now()) },
      yields: yields === undefined ? undefined : task => yields(task, this.#ports.now()),
      mayYield: task => task.deadline !== undefined,
      partiesOf: this.#ports.partiesOf
    }
  }

  /** The route cannot be followed: decide anew, after a few times not before the task has rested. */
  #refused(task: T): void {
    task.refusals++
    if (task.refusals <= AT_ONCE) {
      this.#again(task)
      return
    }
    const { now, world } = this.#ports
    const pause = Math.min(LONGEST_REST, FIRST_REST * 2 ** (task.refusals - AT_ONCE - 1))
    const rest = { until: seconds(now() + pause), reach: world.reach }
    this.#waiting.push({ task, because: { kind: 'wait', block: task.done }, rest })
  }

  #linkQueue(to: number): LinkQueue<T> {
    const known = this.#links.get(to)
    if (known !== undefined) return known
    const queue = new LinkQueue<T>({
      ports: this.#ports,
      rules: this.#rules,
      to,
      beforeSend: task => this.#lookAgain(task, to),
      send: (task, peer, outcome) => {
        this.#note(() => this.policy.sent(task, to, this.#ports.now()))
        this.#ports.send(task, peer, outcome)
      },
      accepted: task => this.#ports.handedOver(task, to),
      refused: task => {
        this.#note(() => this.policy.returned?.(task, to))
        this.#refused(task)
      },
      handshake: this.policy.asksFirst === true ? this.#handshake(to) : undefined
    })
    this.#links.set(to, queue)
    return queue
  }

  /** Only for tasks that are to be computed there: what passes through, or goes home, needs no lane. */
  #handshake(to: number): Handshake<T> {
    const { ask, giveBack } = this.#ports
    return {
      needed: task => (task.route[0]?.until ?? task.done) > task.done,
      ask: (task, granted) => ask(to, task.weight, granted),
      giveBack: () => giveBack(to)
    }
  }

  /** Whether it can be computed there, by what is known now, or only passes through. */
  #isCarriedAt(to: number, { model, done, route }: T): boolean {
    const step = route[0]
    return step === undefined || step.until <= done || this.#ports.world.carries(to, model, done)
  }

  /** @returns true when the task is still for this link; otherwise it has been queued elsewhere */
  #lookAgain(task: T, to: number): boolean {
    if (task.keepsRoute === true) return true
    if (!this.#isCarriedAt(to, task)) {
      this.#again(task)
      return false
    }
    const decision = this.#note(() => this.policy.beforeSend?.(task, task.route, this.#ports.now()))
    if (decision === undefined) return true
    if (decision.kind === 'go' && decision.steps[0]?.device === to) {
      task.route = decision.steps
      return true
    }
    this.#apply(task, decision)
    return false
  }
}
