import { deviceId, modelId } from '../core/ids.ts'
import { bytes, type Seconds, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { Dispatcher } from '../scheduler/dispatch/dispatcher.ts'
import type { SendOutcome } from '../scheduler/dispatch/link-queue.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import { EventQueue } from './event-queue.ts'
import { ResourceServer } from './resource-server.ts'
import type { SimulatedLink, SimulatedSource, SimulationInput, SimulationOutput } from './simulation-input.ts'

/**
 * Run a network until every source has its results, or nothing can happen any more. Discrete events in a total order;
 * every device has the dispatcher and the policy of a running device. A worker runs one block at a time; a link is a
 * first-in-first-out server with a rate and a latency; a medium is one server for all its links; results travel too.
 * Reports between devices travel with the latency of the link and take no bandwidth.
 */
export const simulate = (input: SimulationInput): SimulationOutput => new Simulation(input).run()

interface LinkModel {
  readonly link: SimulatedLink
  readonly server: ResourceServer
  bytes: number
  busy: number
}

interface SourceModel {
  readonly spec: SimulatedSource
  admitted: number
  inFlight: number
  readonly results: { readonly datum: number; readonly availableAt: Seconds; readonly completedAt: Seconds }[]
}

class Simulation {
  readonly #input: SimulationInput
  readonly #events = new EventQueue()
  readonly #world = new World()
  readonly #dispatchers: Dispatcher<LiveTask>[]
  readonly #links = new Map<number, LinkModel>()
  readonly #sources: SourceModel[]
  #left = 0

  constructor(input: SimulationInput) {
    this.#input = input
    this.#build()
    this.#dispatchers = input.devices.map((_, self) => this.#createDispatcher(self))
    this.#sources = input.sources.map(spec => ({ spec, admitted: 0, inFlight: 0, results: [] }))
    this.#left = input.sources.reduce((sum, { count }) => sum + count, 0)
  }

  run(): SimulationOutput {
    for (const source of this.#sources) this.#admit(source)
    for (const self of this.#dispatchers.keys()) this.#report(self)
    while (this.#left > 0 && !this.#isStuck() && this.#events.step());
    return this.#output()
  }

  #build(): void {
    const { devices, models, links, carries } = this.#input
    for (const { name, speed } of devices) this.#world.addDevice(deviceId(name), speed)
    for (const { name, work, activations } of models) this.#world.addModel({ id: modelId(name), work, activations })
    const media = new Map<number, { readonly server: ResourceServer; readonly resource: number }>()
    for (const link of links) {
      const shared =
        link.medium === undefined ? undefined : (media.get(link.medium) ?? this.#newMedium(media, link.medium))
      this.#world.setLink(link.from, link.to, link.rate, link.latency, shared?.resource)
      const server = shared?.server ?? new ResourceServer(this.#events)
      this.#links.set(this.#key(link.from, link.to), { link, server, bytes: 0, busy: 0 })
    }
    for (const n of devices.keys()) {
      for (const [m, { work }] of models.entries()) {
        for (const k of work.keys()) this.#world.setCarried(n, m, k, carries(n, m, k))
      }
    }
  }

  #newMedium(media: Map<number, { readonly server: ResourceServer; readonly resource: number }>, name: number) {
    const medium = { server: new ResourceServer(this.#events), resource: this.#world.addMedium() }
    media.set(name, medium)
    return medium
  }

  #key(from: number, to: number): number {
    return from * this.#input.devices.length + to
  }

  #createDispatcher(self: number): Dispatcher<LiveTask> {
    const { models, devices, policy } = this.#input
    return new Dispatcher<LiveTask>(policy, {
      now: () => this.#events.now,
      world: this.#world,
      self,
      bytes: task => models[task.model]!.activations[task.done]!,
      run: (task, finished) => {
        const took = seconds(models[task.model]!.work[task.done]! / devices[self]!.speed)
        this.#events.schedule(took, () => finished({ kind: 'done', took }))
      },
      send: (task, to, outcome) => this.#send(task, self, to, outcome),
      deliver: task => this.#delivered(task),
      failed: task =>
        this.#events.schedule(1, () => this.#dispatchers[self]!.submit({ ...task, refusals: 0, route: [] })),
      handedOver: () => {}
    })
  }

  #send(task: LiveTask, from: number, to: number, { written, accepted }: SendOutcome): void {
    const model = this.#links.get(this.#key(from, to))!
    const size = this.#input.models[task.model]!.activations[task.done]!
    const takes = size / model.link.rate
    model.server.serve(takes, () => {
      model.bytes += size
      model.busy += takes
      written()
      const remark = this.#dispatchers[from]!.policy.remark()
      this.#events.schedule(model.link.latency, () => {
        accepted()
        const there = this.#dispatchers[to]!
        there.policy.heard(from, remark, this.#events.now)
        there.arrive(task, from)
      })
    })
  }

  /** Admit what the window and the arrivals allow now; come back when the next datum is due. */
  #admit(source: SourceModel): void {
    const { spec } = source
    const now = this.#events.now
    while (source.admitted < spec.count && source.inFlight < spec.window) {
      const due = spec.availableAt?.(source.admitted) ?? now
      if (due > now) {
        this.#events.schedule(due - now, () => this.#admit(source))
        return
      }
      this.#submit(source, source.admitted++, due)
    }
  }

  #submit(source: SourceModel, datum: number, availableAt: Seconds): void {
    source.inFlight++
    const { name, device, model, weight } = source.spec
    const index = this.#sources.indexOf(source)
    this.#dispatchers[device]!.submit({
      source: `${index}/${name}`,
      datum,
      model,
      home: device,
      weight,
      availableAt,
      queuedAt: this.#events.now,
      done: 0,
      attempt: 1,
      route: [],
      refusals: 0
    })
  }

  #delivered({ source: label, datum, availableAt }: LiveTask): void {
    const source = this.#sources[Number.parseInt(label, 10)]!
    source.inFlight--
    this.#left--
    source.results.push({ datum, availableAt, completedAt: this.#events.now })
    this.#admit(source)
  }

  /** Tell the others, then again after the interval, for as long as results are missing. */
  #report(self: number): void {
    const { policy } = this.#dispatchers[self]!
    this.#events.schedule(policy.reportInterval, () => {
      const report = policy.report(this.#events.now)
      for (const [to, dispatcher] of this.#dispatchers.entries()) {
        if (to === self) continue
        const latency = this.#world.link(self, to)?.latency ?? 0
        this.#events.schedule(latency, () => dispatcher.policy.heard(self, report, this.#events.now))
      }
      if (this.#left > 0) this.#report(self)
    })
  }

  /** Every datum that was admitted waits for a block that nobody carries, and in a still world that never changes. */
  #isStuck(): boolean {
    if (this.#events.processed % 1024 !== 0) return false
    const waiting = this.#dispatchers.reduce((sum, d) => sum + d.queued().waiting, 0)
    const inFlight = this.#sources.reduce((sum, s) => sum + s.inFlight, 0)
    const exhausted = this.#sources.every(s => s.admitted === s.spec.count || s.inFlight === s.spec.window)
    return waiting > 0 && waiting === inFlight && exhausted
  }

  #output(): SimulationOutput {
    const makespan = this.#sources.reduce((max, { results }) => Math.max(max, results.at(-1)?.completedAt ?? 0), 0)
    return {
      makespan: seconds(makespan),
      events: this.#events.processed,
      sources: this.#sources.map(({ spec, admitted, results }) => ({
        name: spec.name,
        admitted,
        completed: results.length,
        results,
        stuck: results.length === spec.count ? undefined : this.#whyStuck(spec.device)
      })),
      devices: this.#input.devices.map(({ name }, n) => ({ name, ...this.#dispatchers[n]!.laneCounters() })),
      links: [...this.#links.values()].map(({ link, bytes: sent, busy }) => ({
        from: link.from,
        to: link.to,
        bytes: bytes(sent),
        busy: seconds(busy)
      }))
    }
  }

  #whyStuck(device: number): string {
    const because = this.#dispatchers[device]!.waiting()[0]?.because
    if (because === undefined) return 'its data never came home'
    return because.kind === 'cannot' ? because.because : `no device that can be reached carries block ${because.block}`
  }
}
