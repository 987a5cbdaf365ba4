import { Handovers } from '../cluster/handovers.ts'
import { ReportRule } from '../cluster/report-rule.ts'
import { PING_EVERY, TICK } from '../cluster/rhythm.ts'
import { ON_ARRIVAL } from '../cluster/source-book.ts'
import { WindowStretch } from '../cluster/window-stretch.ts'
import { deviceId, modelId } from '../core/ids.ts'
import { isFinished } from '../core/progress.ts'
import { bytes, type Seconds, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { Dispatcher } from '../scheduler/dispatch/dispatcher.ts'
import type { SendOutcome } from '../scheduler/dispatch/link-queue.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { Report } from '../scheduler/policy.ts'
import { DataCare } from './data-care.ts'
import type { DeviceModel } from './device-model.ts'
import { EventQueue } from './event-queue.ts'
import { Replacement } from './replacement.ts'
import { SimulatedLinks } from './simulated-links.ts'
import type { SimulatedEvent, SimulationInput, SimulationOutput } from './simulation-input.ts'
import { whyStuck } from './why-stuck.ts'

/**
 * Run a network until every source has its results, or nothing can happen any more. Discrete events in a total order;
 * every device has the dispatcher and the policy of a running device. A worker runs one block at a time in each of its lanes, of
 * several data at once where the model says what that takes; a link is a
 * first-in-first-out server with a rate and a latency; a medium is one server that its links share by equal time; results travel too.
 * Reports between devices travel with the latency of the link and take no bandwidth.
 *
 * What devices believe (the world) and what is true part when something changes: a new speed or rate is learnt from the
 * blocks that run and the frames that pass, a new latency from pings, as running devices learn them; a killed device is
 * missed after `detection`.
 * A block or transfer that is under way when a speed or rate changes keeps its old time.
 */
export const simulate = (input: SimulationInput): SimulationOutput => new Simulation(input).run()

/** A task that has crossed a link. */
interface Passed {
  /** As its sender has it. */
  readonly task: LiveTask
  readonly from: number
  readonly to: number
  readonly receiverLife: number
  readonly remark: Report
  readonly answered: (isTaken: boolean) => void
}

/** Nothing but reports for so long: nothing will happen any more. */
const STILL: Seconds = seconds(15)
const DETECTION: Seconds = seconds(0.5)

/** The receiver's own task: a copy, member by member, since one made by a spread is handled at a fraction of the speed. */
const arrived = (task: LiveTask): LiveTask => ({
  source: task.source,
  datum: task.datum,
  model: task.model,
  home: task.home,
  weight: task.weight,
  deadline: task.deadline,
  attempt: task.attempt,
  isBacklogged: ON_ARRIVAL.isBacklogged,
  lag: task.lag,
  served: task.served,
  availableAt: task.availableAt,
  arrivedAt: task.arrivedAt,
  turn: ON_ARRIVAL.turn,
  done: task.done,
  route: task.route,
  keepsRoute: task.keepsRoute ?? false,
  until: task.until,
  inBulk: task.inBulk ?? false,
  refusals: task.refusals
})

class Simulation {
  readonly #input: SimulationInput
  readonly #events = new EventQueue()
  readonly #world = new World()
  readonly #adapts: boolean
  readonly #devices: DeviceModel[]
  readonly #links: SimulatedLinks
  readonly #data: DataCare
  readonly #replacement: Replacement | undefined
  /** Frames that wait for a link or cross it, and when the last of them had. */
  #crossing = 0
  #crossedAt = 0

  constructor(input: SimulationInput) {
    this.#input = input
    this.#adapts = input.adapts !== false
    this.#buildWorld()
    this.#links = new SimulatedLinks({
      input,
      world: this.#world,
      events: this.#events,
      processOf: n => (this.#devices[n]!.up ? this.#devices[n]!.life : undefined)
    })
    this.#devices = input.devices.map(({ speed }, self) => {
      const { dispatcher, reports, stretch } = this.#createScheduling(self)
      return {
        speed,
        up: true,
        leaving: false,
        life: 0,
        noticedAt: 0,
        dispatcher,
        reports,
        stretch,
        handovers: new Handovers(),
        tasks: 0,
        busy: 0
      }
    })
    this.#data = new DataCare({
      input,
      world: this.#world,
      devices: this.#devices,
      now: () => this.#events.now,
      schedule: (delay, action) => this.#schedule(delay, action),
      message: (from, to, arrive) => this.#message(from, to, arrive),
      isReady: n => !this.#adapts || this.#replacement?.isReady(n) !== false
    })
    this.#startEvents()
    this.#replacement = this.#createReplacement()
  }

  run(): SimulationOutput {
    this.#replacement?.start()
    if (this.#adapts) this.#replaceLater()
    if (this.#adapts && this.#input.events?.some(({ kind }) => kind === 'link')) this.#pingLater()
    this.#data.start()
    this.#startReports()
    while (this.#data.left > 0 && !this.#isStill() && this.#events.step());
    return this.#output()
  }

  #buildWorld(): void {
    const { devices, models, carries } = this.#input
    for (const { name, speed, lanes } of devices) this.#world.addDevice(deviceId(name), speed, lanes)
    for (const { name, work, activations, pinned = false } of models)
      this.#world.addModel({ id: modelId(name), work, activations, pinned })
    for (const n of devices.keys()) {
      for (const [m, { work }] of models.entries()) {
        for (const k of work.keys()) {
          const time = this.#measuredTime(n, m, k)
          if (time !== undefined) this.#world.setBlockTime(n, m, k, time)
          this.#world.setBatchCurve(n, m, k, models[m]!.batch?.[n]?.[k])
          this.#world.setCarried(n, m, k, carries(n, m, k))
        }
      }
    }
  }

  #createReplacement(): Replacement | undefined {
    const { replacement } = this.#input
    if (replacement === undefined) return undefined
    return new Replacement({
      input: this.#input,
      replacement,
      world: this.#world,
      lifeOf: n => this.#lifeOf(n),
      now: () => this.#events.now,
      schedule: (delay, action) => this.#schedule(delay, action),
      message: (from, to, arrive) => this.#message(from, to, arrive),
      inUse: (n, model, block) => this.#devices[n]!.dispatcher.uses(model, block),
      changed: () => this.#tellAll()
    })
  }

  /** Undefined while it is gone or about to go. */
  #lifeOf(n: number): number | undefined {
    const { up, leaving, life } = this.#devices[n]!
    return up && !leaving ? life : undefined
  }

  #replaceLater(): void {
    if (this.#replacement === undefined) return
    this.#events.schedule(TICK, () => {
      this.#replacement?.tick()
      this.#data.begin()
      if (this.#data.left > 0) this.#replaceLater()
    })
  }

  /** Something that belongs to the run itself, as reports do not: while such things are to come, the run goes on. */
  #schedule(delay: number, action: () => void): void {
    this.#events.scheduleWork(delay, action)
  }

  #isStill(): boolean {
    const { now, work, workedAt } = this.#events
    return work === 0 && this.#crossing === 0 && now - Math.max(workedAt, this.#crossedAt) > STILL
  }

  #createScheduling(self: number): Pick<DeviceModel, 'dispatcher' | 'reports' | 'stretch'> {
    const dispatcher = this.#createDispatcher(self)
    const stretch = new WindowStretch({ self: this.#world.devices[self]!.id, now: () => this.#events.now })
    return { dispatcher, stretch, reports: new ReportRule(dispatcher.policy, stretch) }
  }

  #createDispatcher(self: number): Dispatcher<LiveTask> {
    const { models, policy } = this.#input
    return new Dispatcher<LiveTask>(policy, {
      now: () => this.#events.now,
      world: this.#world,
      self,
      learns: () => this.#adapts,
      bytes: task => models[task.model]!.activations[task.done]!,
      run: (task, finished) => this.#run([task], self, took => finished({ kind: 'done', took })),
      runTogether: (tasks, finished) =>
        this.#run(tasks, self, took => finished(tasks.map(() => ({ kind: 'done', took, together: tasks.length })))),
      send: (task, to, outcome) => this.#send(task, self, to, outcome),
      deliver: task => this.#data.delivered(task),
      failed: () => {}, // simulated blocks do not fail
      handedOver: ({ source, datum, attempt, home }, to) =>
        this.#devices[self]!.handovers.add(to, { source, datum, attempt, home }),
      ask: (to, weight, granted) => this.#message(self, to, () => this.#askedBy(self, to, weight, granted)),
      giveBack: to => this.#message(self, to, () => this.#devices[to]!.dispatcher.givenBack(self))
    })
  }

  /** Several tasks: at the same block of the same model. */
  #run(tasks: readonly LiveTask[], self: number, finished: (took: Seconds) => void): void {
    const device = this.#devices[self]!
    const { life } = device
    const { observe, models, devices } = this.#input
    const [{ model, done: block }] = tasks as readonly [LiveTask]
    const nominal = models[model]!.work[block]! / device.speed
    const measured = this.#measuredTime(self, model, block)
    // What was measured is of the speed that the device began with; an exact 1 keeps it as it is, to the last digit.
    const one = measured === undefined ? nominal : measured * (devices[self]!.speed / device.speed)
    const took = seconds(one * (models[model]!.batch?.[self]?.[block]?.times(tasks.length) ?? tasks.length))
    const start = this.#events.now
    this.#schedule(took, () => {
      if (device.life !== life) return
      for (const task of tasks) observe?.ran({ ...this.#span(task, start), device: self, block })
      finished(took)
    })
  }

  /** At the speed that the device begins with; undefined: its work says it. */
  #measuredTime(n: number, m: number, k: number): Seconds | undefined {
    const { models, blockTime } = this.#input
    return blockTime?.(n, m, k) ?? models[m]!.times?.[n]?.[k]
  }

  #span(task: LiveTask, start: Seconds) {
    const { datum, model } = task
    return { source: this.#data.sourceOf(task).index, datum, model, start, end: this.#events.now }
  }

  #send(task: LiveTask, from: number, to: number, { written, accepted, refused }: SendOutcome): void {
    const sender = this.#devices[from]!
    const { life } = sender
    const { life: receiverLife } = this.#devices[to]!
    const { activations, toldBytes = activations } = this.#input.models[task.model]!
    const size = activations[task.done]!
    const remark = sender.dispatcher.policy.remark() // it goes ahead of the activation
    this.#crossing++
    this.#links.send(from, to, size, toldBytes[task.done]!, took => {
      this.#crossing--
      this.#crossedAt = this.#events.now
      if (sender.life !== life) return
      const start = seconds(this.#events.now - took)
      this.#input.observe?.sent({ ...this.#span(task, start), from, to, activation: task.done })
      if (size > 0 && this.#adapts) this.#links.learn(from, to, size, took)
      written()
      const answered = (isTaken: boolean): void => {
        if (sender.life !== life) return
        if (isTaken) accepted()
        else refused()
      }
      const passed = { task, from, to, receiverLife, remark, answered }
      this.#schedule(this.#links.latency(from, to), () => this.#came(passed))
    })
  }

  /** At its receiver, unless that is gone: then its sender notices when the others do. The answer takes its time, too. */
  #came(passed: Passed): void {
    const { task, from, to, receiverLife, answered } = passed
    const receiver = this.#devices[to]!
    const isThere = (): boolean => receiver.up && receiver.life === receiverLife
    const notice = (): void => this.#schedule(Math.max(0, receiver.noticedAt - this.#events.now), () => answered(false))
    if (!isThere()) {
      notice()
      return
    }
    // Who is leaving takes nothing new but results.
    const isTaken = !receiver.leaving || isFinished(this.#world, task)
    if (isTaken) this.#take(passed)
    this.#schedule(this.#links.latency(to, from), () => {
      if (isThere()) answered(isTaken)
      else notice()
    })
  }

  /** The receiver's own task from now on; its source's device is told who has it. */
  #take({ task, from, to, remark }: Passed): void {
    const { dispatcher } = this.#devices[to]!
    const { home } = task
    dispatcher.policy.heard(from, remark, this.#events.now)
    if (home !== to) this.#message(to, home, () => this.#data.custody(task, to))
    dispatcher.arrive(arrived(task), from)
  }

  #pingLater(): void {
    this.#events.schedule(PING_EVERY, () => {
      this.#links.ping()
      if (this.#data.left > 0) this.#pingLater()
    })
  }

  /** A small message between two devices; it takes the latency and no bandwidth. */
  #message(from: number, to: number, arrive: () => void): void {
    const { life } = this.#devices[to]!
    this.#schedule(this.#links.latency(from, to), () => {
      if (this.#devices[to]!.life === life && this.#devices[to]!.up) arrive()
    })
  }

  #askedBy(from: number, to: number, weight: number, granted: () => void): void {
    const { life } = this.#devices[from]!
    this.#devices[to]!.dispatcher.asked(from, weight, () =>
      this.#message(to, from, () => {
        if (this.#devices[from]!.life === life) granted()
      })
    )
  }

  /** Nobody's clock is set by the others': devices report in turn, one after another within an interval. */
  #startReports(): void {
    for (const [self, device] of this.#devices.entries()) {
      const { life } = device
      const offset = (self / this.#devices.length) * device.reports.interval
      this.#events.schedule(offset, () => {
        if (device.life === life) this.#reportFrom(self)
      })
    }
  }

  /** Tell the others, then again after the interval, for as long as results are missing. */
  #reportFrom(self: number): void {
    const device = this.#devices[self]!
    const { life } = device
    this.#events.schedule(device.reports.interval, () => {
      if (device.life !== life || !device.up) return
      // A run is of a network that is at work.
      const report = device.reports.next(this.#events.now, true)
      for (const [to, other] of this.#devices.entries()) {
        if (to === self || report === undefined) continue
        const latency = this.#world.link(self, to)?.latency ?? 0
        const { life: heardBy } = other
        this.#events.schedule(latency, () => {
          if (other.life !== heardBy || !other.up) return
          other.dispatcher.policy.heard(self, report, this.#events.now)
          other.stretch.heard(this.#world.devices[self]!.id, report.flow)
        })
      }
      if (this.#adapts) device.dispatcher.reconsider()
      this.#data.tick(self)
      if (device.dispatcher.waiting().length > 0) device.dispatcher.worldChanged()
      if (this.#data.left > 0) this.#reportFrom(self)
    })
  }

  #startEvents(): void {
    const events = this.#input.events ?? []
    for (const n of this.#devices.keys()) {
      const first = events.find(e => (e.kind === 'leaves' || e.kind === 'joins') && e.device === n)
      if (first?.kind === 'joins') {
        this.#end(n)
        this.#world.setUp(n, false)
      }
    }
    for (const event of events) this.#schedule(event.at - this.#events.now, () => this.#happen(event))
  }

  #happen(event: SimulatedEvent): void {
    if (event.kind === 'speed') this.#devices[event.device]!.speed = event.speed
    else if (event.kind === 'link') this.#links.change(event)
    else if (event.kind === 'joins') this.#join(event.device)
    else if (event.how === 'kill') this.#kill(event.device)
    else this.#stop(event.device)
  }

  /** Gone with all it held; nobody knows yet. */
  #kill(n: number): void {
    const device = this.#devices[n]!
    if (!device.up) return
    const detection = this.#input.detection ?? DETECTION
    this.#end(n)
    device.noticedAt = this.#events.now + detection
    const { life } = device
    this.#schedule(detection, () => {
      if (device.life === life) this.#lost(n)
    })
  }

  #end(n: number): void {
    const device = this.#devices[n]!
    const { tasks, busy } = device.dispatcher.laneCounters()
    device.up = false
    device.leaving = false
    device.life++
    device.tasks += tasks
    device.busy += busy
    Object.assign(device, this.#createScheduling(n))
    device.handovers = new Handovers()
  }

  /** Its death is noticed. */
  #lost(n: number): void {
    this.#world.setUp(n, false)
    this.#tellAll()
    this.#data.lost(n)
  }

  #stop(n: number): void {
    const device = this.#devices[n]!
    if (!device.up || device.leaving) return
    device.leaving = true
    this.#world.setUp(n, false)
    this.#tellAll()
  }

  /** A new process on the device: it has its blocks and its sources, and nothing of what was under way. */
  #join(n: number): void {
    const device = this.#devices[n]!
    if (device.up && !device.leaving) return
    this.#end(n) // whatever was to happen to the one before: its loss is noticed now, and only once
    device.noticedAt = this.#events.now
    this.#lost(n)
    device.up = true
    this.#world.setUp(n, true)
    for (const [other, { dispatcher }] of this.#devices.entries()) if (other !== n) dispatcher.forget(n)
    if (this.#adapts) this.#replacement?.joined(n)
    this.#tellAll()
    this.#reportFrom(n)
    this.#data.restart(n)
  }

  #tellAll(): void {
    for (const { dispatcher } of this.#devices) dispatcher.worldChanged()
  }

  #output(): SimulationOutput {
    const makespan = this.#data.sources.reduce((max, { results }) => Math.max(max, results.at(-1)?.completedAt ?? 0), 0)
    return {
      makespan: seconds(makespan),
      events: this.#events.processed,
      moved: bytes(this.#replacement?.moved ?? 0),
      sources: this.#data.sources.map(source => ({
        name: source.spec.name,
        admitted: source.admitted,
        completed: source.results.length,
        dropped: source.dropped,
        resent: source.resent,
        results: source.results,
        stuck: source.isDone ? undefined : whyStuck(source, this.#input, this.#devices, this.#world)
      })),
      devices: this.#devices.map(({ dispatcher, tasks, busy }, n) => {
        const counters = dispatcher.laneCounters()
        return {
          name: this.#input.devices[n]!.name,
          tasks: tasks + counters.tasks,
          busy: seconds(busy + counters.busy),
          blocks: this.#blocksOf(n)
        }
      }),
      links: this.#links.counters()
    }
  }

  #blocksOf(n: number): number[][] {
    return this.#input.models.map(({ work }, m) =>
      [...work.keys()].filter(k => this.#devices[n]!.up && this.#world.carries(n, m, k))
    )
  }
}
