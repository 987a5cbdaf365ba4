import { Handovers } from '../../cluster/handovers.ts'
import { isStranded } from '../../cluster/source-book.ts'
import type { Clock } from '../../core/clock.ts'
import { Halt } from '../../core/halt.ts'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Tensor } from '../../core/tensor.ts'
import { seconds } from '../../core/units.ts'
import { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { RunOutcome, Visit } from '../../scheduler/dispatch/lane-queue.ts'
import type { SendOutcome } from '../../scheduler/dispatch/link-queue.ts'
import type { CreatePolicy } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { LocalBlocks } from '../cluster/local-blocks.ts'
import { MisfitError } from '../cluster/misfit-error.ts'
import { NotHeldError } from '../cluster/not-held-error.ts'
import { type DeviceTask, payloadBytes } from '../dispatch/device-task.ts'
import type { LinkEncodings } from '../dispatch/link-encodings.ts'
import { reportToWire } from '../dispatch/report-codec.ts'
import { taskToWire } from '../dispatch/task-codec.ts'
import type { Task } from '../generated/tributary/v1/wire_pb.ts'
import type { DeviceObserver } from '../ports/device-observer.ts'
import { type RunTimes, StuckError } from '../ports/engine.ts'
import type { Network, Sending, Sent } from '../ports/network.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import type { BlockFailure } from './is-proven.ts'
import { notice } from './notice.ts'
import type { SourceDesk } from './source-desk.ts'
import type { DatumRef, DatumTaker } from './source-port.ts'

export interface TaskTrafficParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly network: Network
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly encodings: LinkEncodings
  readonly sources: SourceDesk
  /** Who is told what becomes of data of this name that were sent out here. */
  readonly taker: (source: string) => DatumTaker | undefined
  /** A datum that was sent out here is back, as far as it was to come. */
  readonly cameHome: (task: DeviceTask) => void
  /** A datum of this device goes to another one, like this. */
  readonly sentOut?: ((task: DeviceTask, to: DeviceId, tensors: readonly WireTensor[]) => void) | undefined
  readonly createPolicy: CreatePolicy
  /** Whether what blocks really take is to be learnt. */
  readonly learns: () => boolean
  /** A block of this model did not end. */
  readonly bar: (model: ModelId, because: string) => void
  readonly observe?: DeviceObserver | undefined
}

const notSent = (): Sending => {
  const never = Promise.reject(new Error('it was not sent'))
  return { written: never, answered: never }
}

/**
 * Tasks on their way through this device: the dispatcher says where they go; here blocks are run, tasks sent, results
 * delivered, and whoever has a datum hears what has become of it.
 */
export class TaskTraffic {
  readonly dispatcher: Dispatcher<DeviceTask>
  readonly #parts: TaskTrafficParts
  readonly #handovers = new Handovers<DeviceId>()
  /** Who was asked to clear a task, and what to do when it does. */
  readonly #asked = new Map<DeviceId, () => void>()

  constructor(parts: TaskTrafficParts) {
    this.#parts = parts
    this.dispatcher = this.#createDispatcher()
  }

  #createDispatcher(): Dispatcher<DeviceTask> {
    const { clock, createPolicy, learns } = this.#parts
    const { world, selfIndex } = this.#parts.view
    return new Dispatcher<DeviceTask>(createPolicy, {
      now: () => clock.now(),
      world,
      self: selfIndex,
      bytes: payloadBytes,
      learns,
      takesAhead: this.#parts.blocks.takesAhead,
      visits: this.#parts.blocks.visits,
      run: (task, finished, visit) =>
        void this.#parts.guard.watch(
          'running blocks',
          this.#run(task, visit).then(outcomes => finished(...outcomes))
        ),
      ...(this.#parts.blocks.batches ? { runTogether: this.#together, areAlike } : {}),
      send: (task, to, outcome) => this.#send(task, world.devices[to]!.id, outcome),
      deliver: task => void this.#parts.guard.run('taking results', () => this.#parts.cameHome(task)),
      policyFailed: error => this.#parts.guard.failed('deciding where data go', error),
      failed: (task, because) => this.#tellFailure(task, because),
      handedOver: ({ source, datum, attempt, homeId: home, token }, to) =>
        this.#handovers.add(world.devices[to]!.id, { source, datum, attempt, home, ...withToken(token) }),
      // Who brought it is known, whose it is was said.
      partiesOf: ({ homeId, from }) => [from ?? this.#parts.view.self, homeId],
      ask: (to, weight, granted) => {
        const { id } = world.devices[to]!
        this.#asked.set(id, granted)
        this.#parts.network.notify(id, notice('clearance', { body: { case: 'ask', value: weight } }))
      },
      giveBack: to =>
        this.#parts.network.notify(
          world.devices[to]!.id,
          notice('clearance', { body: { case: 'giveBack', value: true } })
        )
    })
  }

  /** Told once for each time it was asked; what is cleared twice, or without asking, clears nothing. */
  granted(by: DeviceId): void {
    const granted = this.#asked.get(by)
    this.#asked.delete(by)
    if (granted !== undefined) granted()
    // It was asked before it was taken for lost: nothing comes of it, and others wait for it there.
    else this.#parts.network.notify(by, notice('clearance', { body: { case: 'giveBack', value: true } }))
  }

  async #run(task: DeviceTask, visit: Visit): Promise<readonly RunOutcome[]> {
    const { done: block } = task
    try {
      return await (visit.blocks === 1 ? this.#runOne(task) : this.#runSeveral(task, visit))
    } catch (error) {
      if (error instanceof NotHeldError) return [{ kind: 'notHere' }]
      if (error instanceof MisfitError && block > 0) task.blame = task.sentBy
      return [this.#failed(task, error, block)]
    }
  }

  readonly #together = (tasks: readonly DeviceTask[], finished: (outcomes: readonly RunOutcome[]) => void): void =>
    void this.#parts.guard.watch('running blocks', this.#runTogether(tasks).then(finished))

  /** Should it fail for all, each is run by itself: then it shows whose fault it is. */
  async #runTogether(tasks: readonly DeviceTask[]): Promise<readonly RunOutcome[]> {
    const { encodings, view, blocks } = this.#parts
    const [{ done: block, modelId }] = tasks as readonly [DeviceTask]
    const manifest = view.manifest(modelId)!
    const given = tasks.map(({ tensors }) => encodings.decode(tensors))
    try {
      const inputs = given.map(tensors => tensors.map(tensor => ({ ...tensor, isLent: true as const })))
      const { tensors, ...run } = await blocks.runTogether(manifest, block, inputs)
      return tasks.map((task, i) => {
        this.#hold(
          task,
          tensors[i]!.map(tensor => takenBack(tensor, given[i]!))
        )
        return { ...this.#ran(task, manifest, block, run), together: tasks.length }
      })
    } catch {
      const outcomes: RunOutcome[] = []
      for (const task of tasks) outcomes.push((await this.#run(task, { blocks: 1, halt: new Halt() }))[0]!)
      // What several cannot do and each can is not tried again.
      if (outcomes.every(({ kind }) => kind === 'done'))
        view.world.setBatchCurve(view.selfIndex, view.world.modelIndex(modelId)!, block, undefined)
      return outcomes
    }
  }

  async #runOne(task: DeviceTask): Promise<readonly RunOutcome[]> {
    const { done: block } = task
    const manifest = this.#parts.view.manifest(task.modelId)!
    const inputs = this.#parts.encodings.decode(task.tensors)
    const ready = task.ranUntil ?? task.arrivedAt
    const { tensors, ...run } = await this.#parts.blocks.run(manifest, block, inputs, ready)
    this.#hold(task, tensors)
    return [this.#ran(task, manifest, block, run)]
  }

  async #runSeveral(task: DeviceTask, { blocks, halt }: Visit): Promise<readonly RunOutcome[]> {
    const { done: first } = task
    const manifest = this.#parts.view.manifest(task.modelId)!
    const inputs = this.#parts.encodings.decode(task.tensors)
    const ready = task.ranUntil ?? task.arrivedAt
    const { runs, tensors, failed } = await this.#parts.blocks.visit(manifest, first, blocks, inputs, halt, ready)
    if (tensors !== undefined) this.#hold(task, tensors)
    const outcomes = runs.map((run, i) => this.#ran(task, manifest, first + i, run))
    return failed === undefined ? outcomes : [...outcomes, this.#failed(task, failed.error, first + failed.at)]
  }

  /** The activation that was made of its last. */
  #hold(task: DeviceTask, tensors: DeviceTask['tensors']): void {
    task.tensors = tensors
    task.madeBy = this.#parts.view.self
    task.sentBy = this.#parts.view.self
  }

  #ran(
    task: DeviceTask,
    { name: model }: ModelManifest,
    block: number,
    { start, end, took, follow }: Pick<RunTimes, 'start' | 'end' | 'took' | 'follow'>
  ): RunOutcome {
    const { source, datum, trace } = task
    const ran = { source, datum, trace, model, block, ready: task.ranUntil ?? task.arrivedAt, start, end }
    task.ranUntil = end
    this.#parts.guard.run('tracing what ran', () => this.#parts.observe?.ran(ran))
    return { kind: 'done', took, ...(follow === undefined ? {} : { follow }) }
  }

  #failed(task: DeviceTask, error: unknown, block: number): RunOutcome {
    if (error instanceof StuckError) this.#parts.bar(task.modelId, error.message)
    return { kind: 'failed', block, because: error instanceof Error ? error.message : String(error) }
  }

  /** Whatever goes wrong with it, the link is free for the next, and the task is here again. */
  #send(task: DeviceTask, peer: DeviceId, { written, accepted, refused }: SendOutcome): void {
    const { source, datum, trace, done: activation } = task
    const ready = task.ranUntil ?? task.arrivedAt
    const home = task.homeId === this.#parts.network.self ? this.#parts.taker(source) : undefined
    const ref = { source, datum, attempt: task.attempt }
    home?.given?.(ref, peer)
    const sending = this.#parts.guard.run('sending data', () => this.#hand(task, peer)) ?? notSent()
    const told = ({ bytes, starts: start, departs: end }: Sent): void => {
      const to = this.#parts.view.nameOf(peer)
      const sent = { to, source, datum, trace, activation, bytes, ready, start, end }
      this.#parts.guard.run('tracing what was sent', () => this.#parts.observe?.sent(sent))
    }
    const free = sending.written.then(told, () => {}).then(written)
    const over = sending.answered.then(
      ({ kind }) => {
        this.#parts.guard.run('judging answers', () => this.#answered(task, peer, activation, kind === 'accepted'))
        if (kind === 'accepted') return accepted()
        home?.notTaken?.(ref)
        refused()
      },
      () => {
        home?.notTaken?.(ref)
        refused()
      }
    )
    for (const end of [free, over]) void this.#parts.guard.watch('going on with what was sent', end)
  }

  #hand(task: DeviceTask, peer: DeviceId): Sending {
    const { network, clock } = this.#parts
    const { world, selfIndex } = this.#parts.view
    const remark = reportToWire(this.dispatcher.policy.remark(), world)
    const tensors = this.#parts.encodings.encode(peer, task, world.models[task.model]!.work.length)
    if (task.homeId === network.self) this.#parts.sentOut?.(task, peer, tensors)
    const link = world.link(selfIndex, world.deviceIndex(peer)!)
    const takes = link === undefined ? 0 : payloadBytes(task) / link.rate + link.latency
    return network.sendTask(peer, taskToWire(task, world, seconds(clock.now() + takes)), tensors, remark)
  }

  /** Who was to compute a task and does not take it is not asked again at once. */
  #answered({ modelId, route }: DeviceTask, peer: DeviceId, block: number, isTaken: boolean): void {
    const { distrust } = this.#parts.view
    if (isTaken) distrust.taken(peer, modelId, block)
    else if ((route[0]?.until ?? block) > block && this.#parts.view.isUp(peer)) {
      distrust.refused(peer, modelId, block, this.#parts.clock.now())
      this.#parts.view.review()
    }
  }

  /** What it had goes out again, from wherever its home is. */
  peerLost(peer: DeviceId): void {
    const { guard, network, sources, taker, view } = this.#parts
    view.left(peer)
    this.#asked.delete(peer)
    guard.run('moving what waits', () => this.dispatcher.worldChanged())
    sources.deviceLost(peer)
    for (const { home, source, datum, attempt, token } of this.#handovers.takeAll(peer)) {
      if (home !== network.self)
        network.notify(
          home,
          notice('lost', { source, datum: BigInt(datum), attempt, device: peer, ...withToken(token) })
        )
      else guard.run('sending again what was lost', () => taker(source)?.lost({ source, datum, attempt }, peer))
    }
  }

  /** What arrived as this task is no activation: `device` failed at the block before. */
  blame({ source, datum, attempt, done, home, token }: Task, device: DeviceId, because: string): void {
    const failure = { device, block: Math.max(0, done - 1), because }
    this.#tell(deviceId(home), { source, datum: Number(datum), attempt }, token, failure)
  }

  #tellFailure({ source, datum, attempt, homeId, done, blame, token }: DeviceTask, because: string): void {
    const failure =
      blame === undefined
        ? { device: this.#parts.view.self, block: done, because }
        : { device: blame, block: Math.max(0, done - 1), because }
    this.#tell(homeId, { source, datum, attempt }, token, failure)
  }

  /** To the datum's home: a block of it could not be computed. */
  #tell(home: DeviceId, ref: DatumRef, token: Uint8Array | undefined, failure: BlockFailure): void {
    const { source, datum, attempt } = ref
    if (home === this.#parts.view.self) this.#parts.taker(source)?.failed(ref, failure)
    else {
      const about = { source, datum: BigInt(datum), attempt, ...withToken(token) }
      this.#parts.network.notify(home, notice('failure', { ...about, ...failure }))
    }
  }

  /** What cannot get any further from here waits at its source. */
  letGo(): void {
    const { view, network } = this.#parts
    const stranded = this.dispatcher.waiting().flatMap(({ task }) => (isStranded(task, view.selfIndex) ? [task] : []))
    if (stranded.length === 0) return
    const gone = new Set(stranded)
    this.dispatcher.cancel(task => gone.has(task))
    for (const { source, datum, attempt, homeId, token } of stranded)
      network.notify(
        homeId,
        notice('lost', { source, datum: BigInt(datum), attempt, device: view.self, ...withToken(token) })
      )
  }
}

const withToken = (token: Uint8Array | undefined): { readonly token?: Uint8Array } =>
  token === undefined ? {} : { token }

/** What was lent for a run and lives on beside it is its owner's again. */
const takenBack = (tensor: Tensor, given: readonly Tensor[]): Tensor => {
  const { isLent: _, ...own } = tensor
  return given.find(({ name }) => name === tensor.name)?.isLent === true ? tensor : own
}

/** Whether their tensors can be run at once. */
const areAlike = (a: DeviceTask, b: DeviceTask): boolean =>
  a.tensors.length === b.tensors.length &&
  a.tensors.every(({ name, dims }, i) => {
    const other = b.tensors[i]!
    return name === other.name && dims.length === other.dims.length && dims.every((dim, d) => dim === other.dims[d])
  })
