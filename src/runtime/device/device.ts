import { setMaxListeners } from 'node:events'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { RunOutcome } from '../../scheduler/dispatch/lane-queue.ts'
import type { SendOutcome } from '../../scheduler/dispatch/link-queue.ts'
import type { CreatePolicy } from '../../scheduler/policy.ts'
import { BlockKeeper } from '../cluster/block-keeper.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { LocalBlocks } from '../cluster/local-blocks.ts'
import { ManifestFinder } from '../cluster/manifest-finder.ts'
import { MisfitError } from '../cluster/misfit-error.ts'
import { isNewer, type NumberedPlacement, placementToWire } from '../cluster/placement-codec.ts'
import { PlacementReminder } from '../cluster/placement-reminder.ts'
import { PlannerSeat } from '../cluster/planner-seat.ts'
import { type DeviceTask, payloadBytes } from '../dispatch/device-task.ts'
import { LinkEncodings } from '../dispatch/link-encodings.ts'
import { reportToWire } from '../dispatch/report-codec.ts'
import { taskToWire } from '../dispatch/task-codec.ts'
import { type Engine, StuckError } from '../engine/engine.ts'
import type { DeviceState, Notice } from '../generated/tributary/v1/wire_pb.ts'
import type { BlockStore } from '../network/blob-store.ts'
import { deferred } from '../network/deferred.ts'
import type { Network, NetworkHandlers, Sending, Sent } from '../network/network.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { describeClash } from './describe-clash.ts'
import type { DeviceLife } from './device-life.ts'
import type { DeviceObserver } from './device-observer.ts'
import { DeviceReporter } from './device-reporter.ts'
import type { ClusterStatus } from './device-status.ts'
import { guardedHandlers } from './guarded-handlers.ts'
import { createHandlers } from './handlers.ts'
import { Handovers } from './handovers.ts'
import type { BlockFailure } from './is-proven.ts'
import type { KeptNames } from './kept-names.ts'
import type { LogLevel } from './log-level.ts'
import { ModelDesk } from './model-desk.ts'
import type { ModelOrder } from './model-order.ts'
import { notice } from './notice.ts'
import { OrphanWatch } from './orphan-watch.ts'
import type { OwnedModel } from './owned-model.ts'
import { type NewlyOwned, OwnedModels } from './owned-models.ts'
import type { OwnerParts } from './prepare-owned-model.ts'
import { SourceDesk } from './source-desk.ts'
import type { DatumRef, SourcePort } from './source-port.ts'

export interface DeviceParts {
  readonly name: string
  readonly clock: Clock
  readonly network: Network
  readonly engine: Engine
  readonly blobs: BlockStore
  readonly createPolicy: CreatePolicy
  /** Absent: this device cannot plan, and leaves that to others. */
  readonly place?: Place | undefined
  /** For blocks; Infinity where it is not limited. */
  readonly memory: Bytes
  readonly emulated: boolean
  readonly models: readonly OwnedModel[]
  /** Cuts a model that is owned, or finds that it was. @default as `prepareOwnedModel` does, from its ONNX file */
  readonly prepareModel?: (model: OwnedModel, parts: OwnerParts) => Promise<ModelManifest>
  /** Sources wait until this many devices are there and have loaded what is placed on them. @default 1 */
  readonly startWhen?: number
  /** Sources wait for this besides; resolves with how long ago the run began. */
  readonly begun?: Promise<Seconds>
  /** For emulated topologies: whether data may travel to a peer directly; absent: to all. */
  readonly isLinked?: (peer: DeviceId) => boolean
  /** For emulated devices: a block takes what its model's owner says / speed, whatever it would take here. @default false */
  readonly declaresWork?: boolean
  /** Likewise, but what is said here: of a model's blocks on this device at speed 1, by the model's name. @default none */
  readonly ownTimes?: ReadonlyMap<string, readonly Seconds[]>
  /** How float32 activations travel from here; results go home as they are. @default fp32 */
  readonly activationEncoding?: EncodingChoice
  /** For people: one line, to the log. */
  readonly say: (text: string, level?: LogLevel) => void
  /** A device has said what it calls itself. */
  readonly named?: (device: DeviceId, name: string) => void
  /** For programs. */
  readonly event: (event: { readonly event: string; readonly [key: string]: unknown }) => void
  /** For traces. */
  readonly observe?: DeviceObserver
  /** What a command on this machine wants with a file. */
  readonly takeOrder?: (token: string) => Promise<ModelOrder>
  /** A model that nobody owns and no source uses leaves the cluster after so long. @default 1 h */
  readonly keepModels?: Seconds
  /** What is wrong with this device that only whoever runs it knows, in words; said again every few minutes while it lasts. */
  readonly troubles?: () => readonly string[]
  /** Larger at every start of the process. */
  readonly incarnation: number
  /** Of this device's jobs and of those that others do for it: what they fail at shows in its status. @default one of its own */
  readonly guard?: JobGuard
  /** Where what the names of its models mean is kept for the next start. @default a file beside its models */
  readonly keptNames?: KeptNames
  /** What this process has of the machine's memory. @default what the operating system says */
  readonly residentMemory?: () => Bytes
}

export interface Device extends AsyncDisposable {
  readonly view: ClusterView
  /** What its sources have seen other devices fail at, and this one. */
  readonly breaker: CircuitBreaker
  /** The parts a source is made with. */
  readonly submit: (task: DeviceTask) => void
  /** Forget the tasks of a datum that is done or given up. */
  readonly cancel: (source: string, datum: number) => void
  /** Whether a datum of a source here waits on this device. */
  readonly isHere: (source: string, datum: number) => boolean
  /** A source here has set devices aside: the others are told. */
  readonly setAside: () => void
  /**
   * Before the start it is checked and begins with the others; later it does at once, when its data can be computed.
   * @throws UserError when there is one of its id, or it cannot be served
   */
  addSource(source: SourcePort): Promise<void>
  /** What it has under way is let go, without a line in its sink. @returns when it has ended; false when there is none of that id */
  removeSource(id: string): Promise<boolean>
  /**
   * Own a model from now on: before the start it is prepared with the others, later at once, and the others are told.
   * @throws UserError when this device has one of that name, or it cannot be served
   */
  addModel(model: OwnedModel): Promise<void>
  /** Own it no longer; it leaves the cluster unless another device owns it. @returns false when there is none of that name */
  removeModel(name: string): Promise<boolean>
  /** For comparison: costs, rates and placement stay as they are now, whatever happens. */
  stopAdapting(): void
  start(): Promise<void>
  /** Resolves when every source has all its results; rejects when the device is stopped before. After `start`. */
  sourcesDone(): Promise<void>
  /** Resolves, if ever, with what it must not go on after: it says so, shows it in its status, and stops. */
  readonly failed: Promise<Error>
  status(): ClusterStatus
  /** Of this device only. */
  ownSources(): ClusterStatus['sources']
  /** Accept nothing new, finish what is queued here (at most `patience`), say goodbye, stop. Idempotent. */
  stop(options?: { readonly patience?: Seconds }): Promise<void>
}

/** How often reports go out, queues are looked after and deadlines are checked. */
const TICK: Seconds = seconds(0.1)
/** Reports without news go out so often while something happens, and where nothing does; whoever has just come is told at once. */
const QUIET: Seconds = seconds(0.5)
const IDLE_QUIET: Seconds = seconds(5)
/** Refusals in a row after which another device's datum is let go; by then it has rested for seconds. */
const STRANDED = 10
const DRAIN_PATIENCE: Seconds = seconds(5)
/** No block runs longer than that after its model has left. */
const AFTERMATH: Seconds = seconds(60)
const KEEP_MODELS: Seconds = seconds(3600)

/**
 * A device: network, lane, policy, blocks and sources, tied together on one thread.
 *
 *   network ──tasks──▶ handlers ──▶ dispatcher ──▶ lane (engine) ──▶ dispatcher ──tasks──▶ network
 *      │                               ▲   │                                          └─▶ sources (results)
 *      └─states, notices─▶ view ──▶ policy  └── asks                sources ──▶ dispatcher
 *                            └────▶ planner seat ──▶ block keeper ──▶ engine
 */
export const createDevice = (parts: DeviceParts): Device => new RunningDevice(parts)

const cannotPlan: Place = () => Promise.reject(new Error('this device cannot plan'))

/** Only an owner needs what reads and cuts models. */
const cutFromFile: NonNullable<DeviceParts['prepareModel']> = async (model, parts) => {
  const { prepareOwnedModel } = await import('./prepare-owned-model.ts')
  return prepareOwnedModel(model, parts)
}

const notSent = (): Sending => {
  const never = Promise.reject(new Error('it was not sent'))
  return { written: never, answered: never }
}

class RunningDevice implements Device {
  readonly view: ClusterView
  readonly breaker = new CircuitBreaker()
  readonly #parts: DeviceParts
  readonly #blocks: LocalBlocks
  readonly #dispatcher: Dispatcher<DeviceTask>
  readonly #keeper: BlockKeeper
  readonly #seat: PlannerSeat
  readonly #reminder: PlacementReminder
  readonly #orphans: OrphanWatch
  readonly #finder: ManifestFinder
  readonly #owned: OwnedModels
  readonly #desk: ModelDesk
  readonly #reporter: DeviceReporter
  readonly #handovers = new Handovers()
  readonly #encodings: LinkEncodings
  /** Who was asked to clear a task, and what to do when it does. */
  readonly #asked = new Map<DeviceId, () => void>()
  readonly #guard: JobGuard
  readonly #abort = new AbortController()
  readonly #sources: SourceDesk
  readonly #failed = deferred<Error>()
  #life: DeviceLife = { kind: 'new' }
  #started: Promise<void> | undefined
  #placement: NumberedPlacement | undefined
  #lastReport = { text: '', at: seconds(Number.NEGATIVE_INFINITY) }
  #adapts = true
  #reconsider = false

  constructor(parts: DeviceParts) {
    this.#parts = parts
    const { clock, network, engine, say } = parts
    setMaxListeners(0, this.#abort.signal) // each source waits for it, and there may be any number
    this.#guard = parts.guard ?? new JobGuard({ clock, say })
    this.#guard.onFatal(error => this.#fail(error))
    this.#sources = new SourceDesk({
      clock,
      guard: this.#guard,
      signal: this.#abort.signal,
      mayBegin: devices => this.#reporter.mayBegin(devices),
      waits: devices => this.#sayWhatSourcesWaitFor(devices)
    })
    this.#blocks = new LocalBlocks(engine, parts.declaresWork, parts.ownTimes)
    this.view = new ClusterView(network.self, 1, this.#blocks.declared)
    this.#encodings = new LinkEncodings(parts.activationEncoding ?? 'fp32', () => clock.now())
    this.#dispatcher = this.#createDispatcher()
    this.#keeper = new BlockKeeper({
      clock,
      guard: this.#guard,
      view: this.view,
      blocks: this.#blocks,
      blobs: parts.blobs,
      memory: parts.memory,
      fetch: network.fetchBlob.bind(network),
      inUse: (model, block) => this.#dispatcher.uses(model, block),
      changed: () => this.#changed(),
      say
    })
    this.#seat = new PlannerSeat({
      clock,
      guard: this.#guard,
      view: this.view,
      place: parts.place ?? cannotPlan,
      wholeModels: this.#dispatcher.policy.wholeModels ?? false,
      connected: () => this.#connected(),
      publish: placement => this.#publish(placement)
    })
    this.#reminder = new PlacementReminder({
      clock,
      view: this.view,
      tell: (device, placement) => network.notify(device, notice('placement', placementToWire(placement)))
    })
    this.#owned = this.#createOwned()
    this.#desk = this.#createDesk()
    this.#orphans = new OrphanWatch({
      clock,
      world: this.view.world,
      drop: home => this.#dispatcher.cancel(task => task.home === home)
    })
    this.#finder = new ManifestFinder({
      ...{ clock, guard: this.#guard, network, view: this.view },
      found: () => this.#changed()
    })
    this.#reporter = new DeviceReporter({
      ...parts,
      view: this.view,
      blocks: this.#blocks,
      dispatcher: this.#dispatcher,
      sources: () => this.#sources.all(),
      placement: () => this.#placement,
      readyEpoch: () => this.#keeper.readyEpoch,
      weightsFetched: () => this.#keeper.fetched,
      draining: () => this.#draining,
      canPlan: parts.place !== undefined,
      encodingTo: peer => this.#encodings.encodingTo(peer),
      owned: () => this.#owned.names(),
      setAside: () => this.breaker.setAside(clock.now()),
      barred: () => this.#keeper.barred(),
      troubles: () => this.#troubles(),
      guard: this.#guard,
      life: () => this.#life,
      failures: this.#keeper.failures
    })
  }

  /** There may be somebody to tell. */
  get #isOn(): boolean {
    return this.#isUp && !this.#abort.signal.aborted
  }
  #isUp = false

  get #draining(): boolean {
    return this.#life.kind === 'draining' || this.#life.kind === 'stopped' || this.#life.kind === 'failed'
  }

  /** What the caller has is not written to, on its way or by the policy. */
  readonly submit = (task: DeviceTask): void => this.#dispatcher.submit({ ...task })

  readonly cancel = (source: string, datum: number): void =>
    // Another device of this one's name may have a source of the same name.
    this.#dispatcher.cancel(task => task.source === source && task.datum === datum && task.homeId === this.view.self)

  readonly isHere = (source: string, datum: number): boolean =>
    this.#dispatcher.has(task => task.source === source && task.datum === datum && task.homeId === this.view.self)

  readonly setAside = (): void => {
    const now = this.#parts.clock.now()
    this.view.distrust.hear(this.view.self, this.breaker.setAside(now), now)
    this.view.review()
    this.#changed()
  }

  /** What is wrong with this device and does not show in its blocks, sources or data. */
  #troubles(): string[] {
    const { troubles = () => [] } = this.#parts
    return [
      ...this.#blocks.misdeclared(this.view.manifests()),
      ...this.#keeper.failures.troubles(this.#parts.clock.now()),
      ...troubles()
    ]
  }

  async addSource(source: SourcePort): Promise<void> {
    await this.#sources.add(source)
    this.#changed()
  }

  async removeSource(id: string): Promise<boolean> {
    if (!(await this.#sources.remove(id))) return false
    this.#dispatcher.cancel(task => task.source === id && task.homeId === this.view.self)
    this.#changed()
    return true
  }

  async addModel(model: OwnedModel): Promise<void> {
    this.#abort.signal.throwIfAborted()
    const owned = await this.#owned.add(model)
    if (owned === undefined) return
    this.#announce([owned])
    this.#changed()
  }

  async removeModel(name: string): Promise<boolean> {
    const model = await this.#owned.remove(name)
    if (model === false) return false
    this.#changed()
    if (model !== undefined && this.#owned.owned(model) === undefined) this.#dismiss(model)
    return true
  }

  /** Models that this device owns from now on. */
  #announce(owned: readonly NewlyOwned[]): void {
    const { clock, say } = this.#parts
    for (const { manifest } of owned) {
      this.view.addManifest(manifest)
      say(`model ${this.#owned.owned(manifest.id)?.name}: ${manifest.blocks.length} blocks`)
    }
    for (const { replaced } of owned) if (replaced !== undefined) this.view.dismiss(replaced, clock.now())
  }

  #dismiss(model: ModelId): void {
    this.view.dismiss(model, this.#parts.clock.now())
    this.#lookAtModels()
  }

  stopAdapting(): void {
    this.#adapts = false
  }

  /** Where it fails, all that it had begun is ended before that is told. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch(async error => {
      await this.stop({ patience: seconds(0) }).catch(() => {}) // what went wrong first is what is told
      throw error
    })
    return this.#started
  }

  async #start(): Promise<void> {
    const { engine, network, startWhen = 1, begun = Promise.resolve(seconds(0)) } = this.#parts
    const { signal } = this.#abort
    signal.throwIfAborted()
    this.#life = { kind: 'starting' }
    const speed = await engine.calibrate()
    signal.throwIfAborted()
    this.view.world.setSpeed(this.view.selfIndex, speed)
    this.#reporter.speed = speed
    // Before the network: cutting keeps this thread busy, and others would take it for silence.
    const owned = await this.#owned.prepare()
    this.#announce(owned)
    if (owned.length > 0) this.#hearSelf()
    await this.#sources.check()
    signal.throwIfAborted()
    await network.start(this.#handlers())
    signal.throwIfAborted()
    if (this.#life.kind === 'starting') this.#life = { kind: 'running' }
    this.#isUp = true
    this.#changed()
    this.#loop()
    const ready = (): void =>
      this.#guard.run('telling that it is ready', () => this.#parts.event({ event: 'ready', status: this.status() }))
    this.#sources.begin(startWhen, ready, begun).catch(() => {}) // whoever waits for them hears of it
  }

  get failed(): Promise<Error> {
    return this.#failed.promise
  }

  #fail(error: Error): void {
    if (this.#life.kind === 'failed' || this.#life.kind === 'stopped') return
    const because = error.message
    this.#life = { kind: 'failed', because }
    this.#failed.resolve(error)
    const { say, event } = this.#parts
    say(`failed, and stops: ${because}`, 'error')
    event({ event: 'failed', level: 'error', because })
    this.stop({ patience: seconds(0) }).catch(problem => this.#guard.failed('stopping', problem))
  }

  sourcesDone(): Promise<void> {
    return this.#sources.done()
  }

  status(): ClusterStatus {
    return this.#reporter.clusterStatus()
  }

  ownSources(): ClusterStatus['sources'] {
    return this.#reporter.deviceReport().sources
  }

  stop({ patience = DRAIN_PATIENCE }: { readonly patience?: Seconds } = {}): Promise<void> {
    this.#stopping ??= stopOnce(() => this.#shutDown(patience))
    return this.#stopping.stop()
  }
  #stopping: ReturnType<typeof stopOnce> | undefined;

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #createOwned(): OwnedModels {
    const { models, prepareModel = cutFromFile } = this.#parts
    return new OwnedModels({
      models,
      view: this.view,
      names: this.#parts.keptNames,
      check: (manifest: ModelManifest) => this.#blocks.requireDeclared(manifest),
      prepare: owned => prepareModel(owned, { ...this.#parts, speed: this.#reporter.speed, signal: this.#abort.signal })
    })
  }

  #createDesk(): ModelDesk {
    const { takeOrder = () => Promise.reject(new Error('this device takes no orders')) } = this.#parts
    return new ModelDesk({
      ...this.#parts,
      view: this.view,
      owned: this.#owned,
      takeOrder,
      changed: () => this.#changed(),
      dismiss: model => this.#dismiss(model)
    })
  }

  #createDispatcher(): Dispatcher<DeviceTask> {
    const { clock, createPolicy } = this.#parts
    const { world, selfIndex } = this.view
    return new Dispatcher<DeviceTask>(createPolicy, {
      now: () => clock.now(),
      world,
      self: selfIndex,
      bytes: payloadBytes,
      learns: () => this.#adapts,
      run: (task, finished) => void this.#guard.watch('running blocks', this.#run(task).then(finished)),
      send: (task, to, outcome) => this.#send(task, world.devices[to]!.id, outcome),
      deliver: task => void this.#guard.run('taking results', () => this.#sources.get(task.source)?.delivered(task)),
      policyFailed: error => this.#guard.failed('deciding where data go', error),
      failed: (task, because) => this.#tellFailure(task, because),
      handedOver: (task, to) => this.#handovers.add(world.devices[to]!.id, task),
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
  #granted(by: DeviceId): void {
    const granted = this.#asked.get(by)
    this.#asked.delete(by)
    if (granted !== undefined) granted()
    // It was asked before it was taken for lost: nothing comes of it, and others wait for it there.
    else this.#parts.network.notify(by, notice('clearance', { body: { case: 'giveBack', value: true } }))
  }

  async #run(task: DeviceTask): Promise<RunOutcome> {
    const { source, datum, done: block } = task
    try {
      const manifest = this.view.manifest(task.modelId)!
      const inputs = this.#encodings.decode(task.tensors)
      const run = await this.#blocks.run(manifest, block, inputs, task.ranUntil ?? task.arrivedAt)
      const { tensors, start, end, took } = run
      task.tensors = tensors
      task.madeBy = this.view.self
      task.ranUntil = end
      const ran = { source, datum, model: manifest.name, block, start, end }
      this.#guard.run('tracing what ran', () => this.#parts.observe?.ran(ran))
      return { kind: 'done', took }
    } catch (error) {
      if (error instanceof StuckError) this.#keeper.bar(task.modelId, error.message)
      if (error instanceof MisfitError && block > 0) task.blame = task.madeBy
      return { kind: 'failed', because: error instanceof Error ? error.message : String(error) }
    }
  }

  /** Whatever goes wrong with it, the link is free for the next, and the task is here again. */
  #send(task: DeviceTask, peer: DeviceId, { written, accepted, refused }: SendOutcome): void {
    const { source, datum, done: activation } = task
    const sending = this.#guard.run('sending data', () => this.#hand(task, peer)) ?? notSent()
    const trace = ({ bytes, starts: start, departs: end }: Sent): void => {
      const sent = { to: this.view.nameOf(peer), source, datum, activation, bytes, start, end }
      this.#guard.run('tracing what was sent', () => this.#parts.observe?.sent(sent))
    }
    const free = sending.written.then(trace, () => {}).then(written)
    const over = sending.answered.then(
      ({ kind }) => {
        this.#guard.run('judging answers', () => this.#answered(task, peer, activation, kind === 'accepted'))
        if (kind === 'accepted') accepted()
        else refused()
      },
      () => refused()
    )
    for (const end of [free, over]) void this.#guard.watch('going on with what was sent', end)
  }

  #hand(task: DeviceTask, peer: DeviceId): Sending {
    const { network, clock } = this.#parts
    const remark = reportToWire(this.#dispatcher.policy.remark(), this.view.world)
    const blocks = this.view.world.models[task.model]!.work.length
    const tensors = this.#encodings.encode(peer, task, blocks)
    return network.sendTask(peer, taskToWire(task, this.view.world, clock.now()), tensors, remark)
  }

  /** Who was to compute a task and does not take it is not asked again at once. */
  #answered({ modelId, route }: DeviceTask, peer: DeviceId, block: number, isTaken: boolean): void {
    const { distrust } = this.view
    if (isTaken) distrust.taken(peer, modelId, block)
    else if ((route[0]?.until ?? block) > block && this.view.isUp(peer)) {
      distrust.refused(peer, modelId, block, this.#parts.clock.now())
      this.view.review()
    }
  }

  #handlers(): NetworkHandlers {
    const handlers = createHandlers({
      ...this.#parts,
      view: this.view,
      dispatcher: this.#dispatcher,
      source: id => this.#sources.get(id),
      draining: () => this.#draining,
      status: () => this.status(),
      models: request => this.#desk.answer(request),
      placement: () => this.#placement,
      adopt: placement => this.#adopt(placement),
      changed: () => this.#later(),
      peerLost: peer => this.#peerLost(peer),
      joined: peer => this.#introduce(peer),
      restarted: peer => this.#restarted(peer),
      blame: ({ source, datum, attempt, done, home }, device, because) =>
        this.#tell(
          deviceId(home),
          { source, datum: Number(datum), attempt },
          {
            device,
            block: Math.max(0, done - 1),
            because
          }
        ),
      granted: by => this.#granted(by)
    })
    return guardedHandlers(handlers, this.#guard)
  }

  /** The one loop: everything that happens by time happens here. It ends with the device, and with nothing else. */
  #loop(): void {
    const { clock } = this.#parts
    const tick = (): void => this.#tick()
    void this.#guard.every('looking after everything', () => TICK, tick, { clock, signal: this.#abort.signal })
  }

  /** Each job by itself: what one fails at, the others do not. */
  #tick(): void {
    const job = <T>(name: string, work: () => T): T | undefined => this.#guard.run(name, work)
    job('hearing how links are', () => this.#lookAtLinks())
    job('trusting devices again', () => this.#trustAgain())
    job('reporting to the others', () => this.#report())
    job('looking for unknown models', () => this.#finder.tick())
    job('looking after models', () => this.#lookAtModels())
    if (this.#adapts) job('looking whether to plan', () => this.#seat.tick(this.#placement))
    job('looking after blocks', () => this.#keeper.tick())
    job('reminding of the placement', () => this.#reminder.tick(this.#placement))
    job('looking after orphans', () => this.#orphans.tick())
    job('asking for clearance again', () => this.#dispatcher.remind())
    const hasBegunAnew = this.#adapts && job('deciding anew', () => this.#dispatcher.reconsider()) === true
    this.#sources.tick()
    // The others hear how dear this device has become before they are told what is committed to it, in those seconds.
    job('telling its state', () => {
      if (this.#isStateDue() || hasBegunAnew) this.#publishState()
    })
    job('letting data go', () => this.#letGo())
    if (this.#dispatcher.waiting().length > 0) this.#later()
    job('saying what data wait for', () => this.#sayWhatDataWaitFor())
  }

  #lookAtLinks(): void {
    const { network } = this.#parts
    for (const [peer] of network.peers()) {
      if (this.#parts.isLinked?.(peer) === false || !(this.#adapts || this.view.isNewLink(peer))) continue
      const link = network.link(peer)
      if (link === undefined) continue
      const rate = this.#encodings.choose(peer, link.rate)
      this.view.setLink(network.self, peer, rate, link.latency, link.medium)
    }
  }

  #trustAgain(): void {
    if (!this.view.distrust.expire(this.#parts.clock.now())) return
    this.view.review()
    this.#later()
  }

  /** Of models that have left, what waits here is forgotten, and their blocks go. */
  #lookAtModels(): void {
    const { clock, keepModels = KEEP_MODELS, say } = this.#parts
    const { models } = this.view
    const now = clock.now()
    this.view.forget(now, keepModels)
    const left = models.takeLeft()
    for (const { id } of left) say(`model ${models.nameOf(id)} (${id.slice(0, 8)}) has left the cluster`)
    if (left.length > 0) {
      this.#leftAt = now
      this.#keeper.modelsLeft()
    }
    // A block may still have run for one when it left: what comes of that goes too.
    if (now - this.#leftAt < AFTERMATH) this.#dispatcher.cancel(task => models.isGone(task.modelId))
    if (this.#owned.tick() || left.length > 0) this.#changed()
    const clashes = models.clashes().map(claims => describeClash(claims, device => this.view.nameOf(device)))
    for (const text of clashes) if (!this.#clashes.includes(text)) say(text, 'warn')
    this.#clashes = clashes
  }
  #leftAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #clashes: readonly string[] = []

  /** To everybody; where there is no news, once in a while. Commitments add up until they are told. */
  #report(): void {
    const { clock } = this.#parts
    const { policy } = this.#dispatcher
    if (clock.now() - this.#lastReport.at < policy.reportInterval() - TICK / 2) return
    const report = policy.report(clock.now())
    const text = JSON.stringify(report)
    const isNews = text !== this.#lastReport.text || report.commitments.length > 0
    const rest = this.#reporter.isRestless() ? QUIET : IDLE_QUIET
    if (!isNews && clock.now() - this.#lastReport.at < rest) return
    this.#lastReport = { text, at: clock.now() }
    this.#tellAll(notice('report', reportToWire(report, this.view.world)))
  }

  /** It has heard nothing of this device yet. */
  #introduce(peer: DeviceId): void {
    this.#reporter.stir()
    this.#parts.network.notify(peer, notice('report', reportToWire(this.#dispatcher.policy.remark(), this.view.world)))
  }

  /** Devices, not those who only look on. */
  #connected(): DeviceId[] {
    return [...this.#parts.network.peers()].flatMap(([peer, role]) => (role === 'device' ? [peer] : []))
  }

  #tellAll(message: Notice): void {
    for (const peer of this.#connected()) this.#parts.network.notify(peer, message)
  }

  /** What this device carries or knows has changed. */
  #changed(): void {
    if (!this.#isOn) return
    this.#reporter.stir()
    this.#guard.run('telling its state', () => {
      const state = this.#hearSelf()
      if (this.#parts.clock.now() - this.#toldAt < this.#dispatcher.policy.reportInterval()) this.#isUntold = true
      else this.#sendState(state)
    })
    this.#later()
  }
  /** What changed soon after the last state is told with the next tick that may: blocks come and go in bursts. */
  #isUntold = false
  #toldAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  #publishState(): void {
    this.#sendState(this.#hearSelf())
  }

  #sendState(state: DeviceState): void {
    this.#isUntold = false
    this.#toldAt = this.#parts.clock.now()
    this.#parts.network.publishState(state)
  }

  /** The others are to hear of this device: it is time, or something happened and the last word was long enough ago. */
  #isStateDue(): boolean {
    const pause = this.#dispatcher.policy.reportInterval()
    const isNewsDue = this.#isUntold && this.#parts.clock.now() - this.#toldAt >= pause
    return this.#reporter.isDue(pause) || isNewsDue
  }

  /** What this device says of itself counts here too: what it owns, above all. */
  #hearSelf(): DeviceState {
    const state = this.#reporter.nextState()
    this.view.heard(this.view.self, state, this.#parts.clock.now())
    return state
  }

  /** Look at waiting tasks and blocks once the current burst of news is through. */
  #later(): void {
    if (this.#reconsider) return
    this.#reconsider = true
    queueMicrotask(() => {
      this.#reconsider = false
      this.#guard.run('moving what waits', () => this.#dispatcher.worldChanged())
      this.#guard.run('looking after blocks', () => this.#keeper.tick())
    })
  }

  #publish(placement: NumberedPlacement): void {
    const { say } = this.#parts
    this.#tellAll(notice('placement', placementToWire(placement)))
    say(
      `placement ${placement.epoch} for ${placement.placement.size} device${placement.placement.size === 1 ? '' : 's'}`
    )
    this.#reminder.told()
    this.#adopt(placement)
  }

  #adopt(placement: NumberedPlacement): void {
    if (!isNewer(placement, this.#placement)) return
    this.#placement = placement
    this.#keeper.adopt(placement)
  }

  #peerLost(peer: DeviceId): void {
    const { network } = this.#parts
    this.view.left(peer)
    this.#asked.delete(peer)
    this.#dispatcher.worldChanged()
    this.#sources.deviceLost(peer)
    for (const { home, source, datum, attempt } of this.#handovers.takeAll(peer)) {
      if (home === network.self) this.#sources.get(source)?.lost({ source, datum, attempt }, peer)
      else network.notify(home, notice('lost', { source, datum: BigInt(datum), attempt, device: peer }))
    }
  }

  #restarted(peer: DeviceId): void {
    this.breaker.forget(peer)
    this.#dispatcher.forget(this.view.world.deviceIndex(peer)!)
  }

  #tellFailure({ source, datum, attempt, homeId, done, blame }: DeviceTask, because: string): void {
    const failure =
      blame === undefined
        ? { device: this.view.self, block: done, because }
        : { device: blame, block: Math.max(0, done - 1), because }
    this.#tell(homeId, { source, datum, attempt }, failure)
  }

  #tell(home: DeviceId, ref: DatumRef, failure: BlockFailure): void {
    const { source, datum, attempt } = ref
    if (home === this.view.self) this.#sources.get(source)?.failed(ref, failure)
    else this.#parts.network.notify(home, notice('failure', { source, datum: BigInt(datum), attempt, ...failure }))
  }

  /** A datum of another device that is refused again and again is let go: it waits at its source, which knows who can serve it. */
  #letGo(): void {
    const stranded = this.#dispatcher
      .waiting()
      .flatMap(({ task }) => (task.refusals >= STRANDED && task.homeId !== this.view.self ? [task] : []))
    if (stranded.length === 0) return
    const gone = new Set(stranded)
    this.#dispatcher.cancel(task => gone.has(task))
    for (const { source, datum, attempt, homeId } of stranded)
      this.#parts.network.notify(
        homeId,
        notice('lost', { source, datum: BigInt(datum), attempt, device: this.view.self })
      )
  }

  #sayWhatSourcesWaitFor(startWhen: number): void {
    const { say } = this.#parts
    const there = this.view.staying().length
    if (this.view.manifests().length === 0)
      say('sources wait for a model: no device here has one; add --model FILE here or on another device', 'warn')
    else if (there < startWhen) say(`sources wait: ${there} of ${startWhen} devices are there`)
    else say('sources wait until every device has loaded its blocks')
  }

  /** What data wait for, once for each reason, when it has lasted. */
  #sayWhatDataWaitFor(): void {
    const text = this.#reporter
      .waiting()
      .map(({ model, block, tasks, because }) => `${tasks} data wait for block ${block} of ${model}: ${because}`)
      .join('; ')
    const { clock, say } = this.#parts
    const reason = text.replace(/\d+ data/g, '')
    if (reason !== this.#waitingFor.reason) this.#waitingFor = { reason, since: clock.now(), said: false }
    else if (text !== '' && !this.#waitingFor.said && clock.now() - this.#waitingFor.since > 1) {
      this.#waitingFor.said = true
      say(text, 'warn')
    }
  }
  #waitingFor = { reason: '', since: 0, said: true }

  /** Whatever of it fails, the rest is ended too. */
  async #shutDown(patience: Seconds): Promise<void> {
    const { clock, network, engine } = this.#parts
    const wasOn = this.#isOn
    if (this.#life.kind !== 'failed') this.#life = { kind: 'draining' }
    await this.#sources.stop()
    if (wasOn) this.#guard.run('telling its state', () => this.#publishState())
    const until = clock.now() + patience
    const busy = (): boolean => this.#dispatcher.queued().lane + this.#dispatcher.queued().links > 0
    while (busy() && clock.now() < until) await clock.sleep(seconds(0.02))
    this.#abort.abort(new Error('the device stops'))
    try {
      await network.stop()
    } finally {
      await engine.stop()
      if (this.#life.kind !== 'failed') this.#life = { kind: 'stopped' }
    }
  }
}
