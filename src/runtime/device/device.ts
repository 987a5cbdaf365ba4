import type { Election } from '../../cluster/election.ts'
import type { Leader } from '../../cluster/leader.ts'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { OrphanWatch } from '../../cluster/orphan-watch.ts'
import { PeerBudgets } from '../../cluster/peer-budgets.ts'
import { PlacementInbox } from '../../cluster/placement-inbox.ts'
import { RESTING_TICK, TICK } from '../../cluster/rhythm.ts'
import { WindowStretch } from '../../cluster/window-stretch.ts'
import { BufferPool } from '../../core/buffer-pool.ts'
import { deferred } from '../../core/deferred.ts'
import { formatEpoch } from '../../core/epoch.ts'
import type { DeviceId, ModelId, SourceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { oneLine } from '../../core/one-line.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { Place } from '../../planner/placement.ts'
import type { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import { BlockKeeper } from '../cluster/block-keeper.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { createElection } from '../cluster/create-election.ts'
import { createLeader } from '../cluster/create-leader.ts'
import { LocalBlocks } from '../cluster/local-blocks.ts'
import { ManifestFinder } from '../cluster/manifest-finder.ts'
import { sealManifest } from '../cluster/manifest-seal.ts'
import { ModelFarewells } from '../cluster/model-farewells.ts'
import { placementToWire } from '../cluster/placement-codec.ts'
import { placementFault } from '../cluster/placement-fault.ts'
import { PlacementReminder } from '../cluster/placement-reminder.ts'
import { RecentRoom } from '../cluster/recent-room.ts'
import { SharedEngine } from '../cluster/shared-engine.ts'
import { AttemptTokens } from '../dispatch/attempt-tokens.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { LinkEncodings } from '../dispatch/link-encodings.ts'

import type { DataTracer } from '../ports/data-tracer.ts'
import type { DeviceObserver } from '../ports/device-observer.ts'
import type { Engine } from '../ports/engine.ts'
import type { NetworkHandlers } from '../ports/network.ts'
import { observeAll } from '../ports/observe-all.ts'
import { Announcer } from './announcer.ts'
import { AuditDesk } from './audit/audit-desk.ts'
import { BatchTimer } from './batch-timer.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { DatumDoor } from './datum-door.ts'
import type { DeviceLife } from './device-life.ts'
import type { DeviceParts } from './device-parts.ts'
import { DeviceReporter } from './device-reporter.ts'
import type { ClusterStatus } from './device-status.ts'
import { Drain } from './drain.ts'
import { DrainDesk } from './drain-desk.ts'
import { GoneWatch } from './gone-watch.ts'
import { guardedHandlers } from './guarded-handlers.ts'
import { createHandlers } from './handlers.ts'
import { LaneChooser } from './lane-chooser.ts'
import { ModelDesk } from './model-desk.ts'
import { ModelWatch } from './model-watch.ts'
import { notice } from './notice.ts'
import type { OwnedModel } from './owned-model.ts'
import { OwnedModels } from './owned-models.ts'
import { PinKeeper } from './pin-keeper.ts'
import { PlanDesk } from './plan-desk.ts'
import { RestingClock } from './resting-clock.ts'
import { SourceDesk } from './source-desk.ts'
import type { DatumRef, DatumTaker, SourcePort } from './source-port.ts'
import { answerSteps } from './steps/answer-steps.ts'
import { RecentSteps } from './steps/recent-steps.ts'
import { StepWatch } from './steps/step-watch.ts'
import { TaskTraffic } from './task-traffic.ts'
import { WaitingWords } from './waiting-words.ts'

export type { DeviceParts } from './device-parts.ts'

/** A device of a cluster: computes what is placed on it, has models and sources. Disposed: it is stopped. */
export interface Device extends AsyncDisposable {
  readonly view: ClusterView
  /** What the automatic windows of its sources are stretched by. */
  readonly stretch: WindowStretch
  /** What its sources have seen other devices fail at, and this one. */
  readonly breaker: CircuitBreaker
  /** Of tensors: what blocks have read is used again for what is to be read. */
  readonly buffers: BufferPool
  /** The parts a source is made with. */
  readonly submit: (task: DeviceTask) => void
  /** Forget the tasks of a datum that is done or given up. */
  readonly cancel: (source: string, datum: number) => void
  /** Tell another device that a datum of a source here is not wanted any more, or only where it is begun. */
  readonly withdraw: (ref: DatumRef, device: DeviceId, unlessBegun: boolean) => void
  /** Whether a datum of a source here waits on this device. */
  readonly isHere: (source: string, datum: number) => boolean
  /** Whether a datum of a source here waits on this device, and nothing of it has been computed. */
  readonly isUnbegun: (source: string, datum: number) => boolean
  /** A source here has set devices aside: the others are told. */
  readonly setAside: () => void
  /** Devices that have as many data of a source here as they are trusted with: others come first for now. */
  readonly full: (source: SourceId, devices: ReadonlySet<DeviceId>) => void
  /** Told by its sources what becomes of their data. */
  readonly observer: DeviceObserver
  /** Asked by its sources which of their data are followed. */
  readonly tracer: DataTracer | undefined
  /** What all devices of the cluster do for data, from what they remember on, for as long as it is polled. */
  watchSteps(): StepWatch
  /**
   * Before the start it is checked and begins with the others; later it does at once, when its data can be computed.
   * @throws UserError when there is one of its id, or it cannot be served
   */
  addSource(source: SourcePort): Promise<void>
  /**
   * It admits nothing more. What it has under way comes home within `patience`, else it is let go without a line in its sink.
   * @param patience default: none @returns when it has ended; false when there is none of that id
   */
  removeSource(id: string, patience?: Seconds): Promise<boolean>
  /** Another share beside the other sources, from its next datum on. @returns whether it is here */
  weighSource(id: string, weight: number): boolean
  /**
   * Own a model from now on: before the start it is prepared with the others, later at once, and the others are told.
   * @param mayOwn throws where it must not be owned, once it is cut and before anybody hears of it
   * @throws UserError when this device has one of that name, or it cannot be served
   */
  addModel(model: OwnedModel, mayOwn?: (manifest: ModelManifest) => void): Promise<void>
  /**
   * Another file in the place of a model of this device, or the same cut otherwise; data under way are computed anew.
   * @returns whether that is another model @throws UserError when there is none of that name, or it cannot be served
   */
  updateModel(model: OwnedModel): Promise<boolean>
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
  /** Which placements there were, and what would be if. */
  readonly plans: PlanDesk
  /**
   * Have a device of the cluster leave once others have taken over what it carries. Resolves when it has been told.
   * @throws Error in words, where it cannot be told or does not do so
   */
  drain(device: DeviceId): Promise<void>
  /** Whether its sources run: it may have been told to wait until so many devices are there. */
  readonly sourcesHaveBegun: boolean
  /** Of this device only. */
  ownSources(): ClusterStatus['sources']
  /** Accept nothing new, finish what is queued here (at most `patience`), say goodbye, stop. Idempotent. */
  stop(options?: { readonly patience?: Seconds }): Promise<void>
}

const DRAIN_PATIENCE: Seconds = seconds(5)

/**
 * A device: network, lane, policy, blocks and sources, tied together on one thread.
 *
 *   network ──tasks──▶ handlers ──▶ dispatcher ──▶ lane (engine) ──▶ dispatcher ──tasks──▶ network
 *      │                               ▲   │                                          └─▶ sources (results)
 *      └─states, notices─▶ view ──▶ policy  └── asks                sources ──▶ dispatcher
 *                            └────▶ leader ───────▶ block keeper ──▶ engine
 */
export const createDevice = (parts: DeviceParts): Device => new RunningDevice(parts)

const cannotPlan: Place = () => Promise.reject(new Error('this device cannot plan'))

const cannotPrepare: NonNullable<DeviceParts['prepareModel']> = async ({ name }) => {
  throw new UserError(`model "${name}": this device prepares no models`)
}

class RunningDevice implements Device {
  readonly view: ClusterView
  readonly breaker = new CircuitBreaker()
  readonly stretch: WindowStretch
  readonly buffers = new BufferPool()
  readonly #parts: DeviceParts
  readonly #engine: Engine
  readonly #blocks: LocalBlocks
  readonly #traffic: TaskTraffic
  readonly #dispatcher: Dispatcher<DeviceTask>
  readonly #keeper: BlockKeeper
  readonly #election: Election
  readonly #inbox: PlacementInbox
  readonly #room: RecentRoom
  readonly #lanes: LaneChooser
  readonly #batches: BatchTimer
  readonly #leader: Leader
  readonly #reminder: PlacementReminder
  readonly #orphans: OrphanWatch
  readonly #goneWatch: GoneWatch
  readonly #finder: ManifestFinder
  readonly #farewells: ModelFarewells
  readonly #owned: OwnedModels
  readonly #pinKeeper: PinKeeper
  readonly #models: ModelWatch
  readonly #desk: ModelDesk
  readonly #reporter: DeviceReporter
  /** Of what happens by time. */
  readonly #rhythm: RestingClock
  readonly #words: WaitingWords
  readonly #announcer: Announcer
  readonly #drain: Drain
  readonly #drains: DrainDesk
  readonly plans: PlanDesk
  readonly #encodings: LinkEncodings
  readonly #tokens: AttemptTokens
  readonly #door: DatumDoor
  readonly #audits: AuditDesk
  readonly #guard: JobGuard
  readonly #budgets: PeerBudgets
  readonly #abort = new AbortController()
  readonly #sources: SourceDesk
  readonly #failed = deferred<Error>()
  #life: DeviceLife = { kind: 'new' }
  #started: Promise<void> | undefined
  #placement: NumberedPlacement | undefined
  readonly observer: DeviceObserver
  readonly tracer: DataTracer | undefined
  readonly #steps = new RecentSteps()
  #adapts = true
  #reconsider = false

  constructor(given: DeviceParts) {
    // What is said may quote what others wrote.
    const parts: DeviceParts = { ...given, say: (text, ...more) => given.say(oneLine(text), ...more) }
    this.#parts = parts
    const { clock, network, engine, say } = parts
    this.#guard = parts.guard ?? new JobGuard({ clock, say })
    this.#budgets = new PeerBudgets({
      now: () => clock.now(),
      payerOf: peer => network.payerOf?.(peer as DeviceId) ?? peer,
      exceeded: (peer, because) => say(`${this.view.state(peer as DeviceId)?.name || peer}: ${because}`, 'warn')
    })
    this.tracer = parts.tracer
    this.observer = observeAll([this.#steps.observer, ...(parts.observe === undefined ? [] : [parts.observe])])
    this.#sources = new SourceDesk({
      clock,
      guard: this.#guard,
      signal: this.#abort.signal,
      mayBegin: devices => this.#reporter.mayBegin(devices),
      waits: devices => this.#words.sources(devices)
    })
    this.#engine = new SharedEngine(engine)
    this.#blocks = new LocalBlocks(this.#engine, parts.declaresWork, parts.ownTimes, this.buffers)
    this.#pinKeeper = new PinKeeper({
      view: () => this.view,
      kept: parts.keptPins,
      accepts: parts.accepts ?? [],
      wallTime: parts.wallTime ?? (() => clock.now()),
      say,
      event: parts.event
    })
    this.view = new ClusterView(network.self, 1, this.#blocks.declared, this.#pinKeeper.pins)
    this.view.world.setLanes(this.view.selfIndex, this.#blocks.lanes)
    this.stretch = new WindowStretch({ self: network.self, now: () => clock.now() })
    this.#tokens = new AttemptTokens(parts.random, parts.hash)
    this.#door = new DatumDoor({ clock, tokens: this.#tokens, nameOf: peer => this.view.nameOf(peer), say })
    this.#encodings = new LinkEncodings(parts.activationEncoding ?? 'fp32', () => clock.now())
    this.#audits = this.#createAudits()
    this.#traffic = new TaskTraffic({
      ...{ clock, guard: this.#guard, network, view: this.view, blocks: this.#blocks, encodings: this.#encodings },
      ...{ sources: this.#sources, createPolicy: parts.createPolicy, observe: this.observer },
      taker: source => this.#taker(source),
      cameHome: task => this.#audits.cameHome(task),
      sentOut: (task, to, tensors) => this.#audits.sentOut(task, to, tensors),
      learns: () => this.#adapts,
      bar: (model, because) => this.#keeper.bar(model, because)
    })
    this.#dispatcher = this.#traffic.dispatcher
    this.#keeper = new BlockKeeper({
      clock,
      guard: this.#guard,
      view: this.view,
      blocks: this.#blocks,
      blobs: parts.blobs,
      memory: parts.memory,
      fetch: network.fetchBlob.bind(network),
      inUse: (model, block) => this.#dispatcher.uses(model, block),
      changed: () => this.#announcer.changed(),
      mayHaveLine: owner => this.#budgets.takes(owner, 'lines'),
      say
    })
    this.#lanes = new LaneChooser({
      ...{ clock, guard: this.#guard, view: this.view, blocks: this.#blocks, dispatcher: this.#dispatcher },
      memory: parts.memory,
      changed: () => {
        this.#announcer.changed()
        this.#later()
      }
    })
    this.#batches = new BatchTimer({
      ...{ guard: this.#guard, view: this.view, blocks: this.#blocks, dispatcher: this.#dispatcher },
      changed: () => this.#announcer.changed()
    })
    const current = (): NumberedPlacement | undefined => this.#placement
    this.#room = new RecentRoom(this.view, () => clock.now())
    this.#election = createElection({ clock, view: this.view, current, say: text => say(text, 'warn') })
    this.#inbox = new PlacementInbox({
      ...{ now: () => clock.now(), election: this.#election },
      fault: placement => placementFault(placement, this.view, this.#room),
      adopt: placement => this.#adopt(placement),
      refused: (from, because) => this.#refusePlacement(from, because)
    })
    this.#leader = createLeader({
      election: this.#election,
      clock,
      guard: this.#guard,
      view: this.view,
      place: parts.place ?? cannotPlan,
      expectProblem: parts.expectProblem,
      wholeModels: this.#dispatcher.policy.wholeModels ?? false,
      connected: () => this.#announcer.connected(),
      publish: placement => this.#publish(placement),
      turned: () => this.#announcer.changed()
    })
    this.#reminder = new PlacementReminder({
      clock,
      view: this.view,
      tell: (device, placement) => network.notify(device, notice('placement', placementToWire(placement)))
    })
    this.#owned = this.#createOwned()
    this.#models = new ModelWatch({
      ...{ clock, view: this.view, owned: this.#owned, keepModels: parts.keepModels, say },
      changed: () => this.#announcer.changed(),
      gone: () => this.#keeper.modelsLeft(),
      cancel: belongs => this.#dispatcher.cancel(belongs),
      isLeft: model => this.#isLeft(model)
    })
    this.#desk = this.#createDesk()
    this.#orphans = new OrphanWatch({
      now: () => clock.now(),
      world: this.view.world,
      drop: home => this.#dispatcher.cancel(task => task.home === home)
    })
    this.#goneWatch = new GoneWatch({
      ...{ clock, world: this.view.world, after: parts.forgetsAfter },
      isGuest: peer => this.view.isGuest(peer),
      gone: peer => this.#forget(peer)
    })
    this.#finder = new ManifestFinder({
      ...{ clock, guard: this.#guard, network, view: this.view, budgets: this.#budgets, signer: parts.signer },
      found: () => this.#announcer.changed()
    })
    this.#farewells = new ModelFarewells({
      ...{ guard: this.#guard, view: this.view, budgets: this.#budgets, signer: parts.signer, now: () => clock.now() },
      changed: () => this.#announcer.changed()
    })
    this.#rhythm = new RestingClock({ clock, rests: () => this.#reporter.rests, every: RESTING_TICK })
    this.#reporter = new DeviceReporter({
      ...parts,
      woken: () => this.#rhythm.wake(),
      view: this.view,
      blocks: this.#blocks,
      dispatcher: this.#dispatcher,
      sources: () => this.#sources.all(),
      placement: current,
      elects: () => this.#election.elects,
      readyEpoch: () => this.#keeper.readyEpoch,
      weightsFetched: () => this.#keeper.fetched,
      leader: () => this.#leader,
      draining: () => this.#draining,
      leaving: () => this.#draining || this.#drain.isLeaving,
      canPlan: parts.place !== undefined,
      encodingTo: peer => this.#encodings.encodingTo(peer),
      owned: () => this.#owned.names(),
      setAside: () => this.breaker.setAside(clock.now()),
      barred: () => this.#keeper.barred(),
      troubles: () => this.#troubles(),
      guard: this.#guard,
      life: () => this.#life,
      failures: this.#keeper.failures,
      unproven: () => this.#door.turnedAway,
      budgets: this.#budgets,
      farewells: () => this.#farewells.told(),
      audits: this.#audits
    })
    this.#words = new WaitingWords({ clock, view: this.view, reporter: this.#reporter, say })
    this.#announcer = new Announcer({
      ...{
        clock,
        guard: this.#guard,
        network,
        view: this.view,
        policy: this.#dispatcher.policy,
        stretch: this.stretch
      },
      ...{ reporter: this.#reporter, isOn: () => this.#isOn, later: () => this.#later() }
    })
    this.plans = this.#createPlans()
    this.#drain = this.#createDrain()
    this.#drains = new DrainDesk({
      ...{ view: this.view, network },
      drainSelf: parts.leave === undefined ? undefined : asker => this.#beDrained(asker)
    })
    this.#guard.onFatal(error => this.#fail(error))
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
  readonly submit = (task: DeviceTask): void => {
    this.#reporter.stir()
    const own: { -readonly [Key in keyof DeviceTask]: DeviceTask[Key] } = { ...task }
    own.token = this.#tokens.of(task)
    this.#dispatcher.submit(own)
  }

  readonly cancel = (source: string, datum: number): void => {
    // Another device of this one's name may have a source of the same name.
    this.#dispatcher.cancel(task => task.source === source && task.datum === datum && task.homeId === this.view.self)
  }

  readonly isHere = (source: string, datum: number): boolean =>
    this.#audits.holds(source, datum) ||
    this.#dispatcher.has(task => task.source === source && task.datum === datum && task.homeId === this.view.self)

  readonly withdraw = (ref: DatumRef, device: DeviceId, unlessBegun: boolean): void => {
    const about = { ...ref, datum: BigInt(ref.datum), token: this.#tokens.of(ref) }
    this.#parts.network.notify(device, notice('withdraw', { ...about, unlessBegun }))
  }

  readonly isUnbegun = (source: string, datum: number): boolean =>
    this.#dispatcher.waits(
      task => task.done === 0 && task.source === source && task.datum === datum && task.homeId === this.view.self
    )

  readonly full = (source: SourceId, devices: ReadonlySet<DeviceId>): void => {
    this.view.distrust.fill(source, devices)
    this.view.review()
    this.#later()
  }

  readonly setAside = (): void => {
    const now = this.#parts.clock.now()
    this.view.distrust.hear(this.view.self, this.breaker.setAside(now), now)
    this.view.review()
    this.#announcer.changed()
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
    this.#announcer.changed()
  }

  weighSource(id: string, weight: number): boolean {
    const source = this.#sources.get(id)
    source?.weigh?.(weight)
    return source !== undefined
  }

  async removeSource(id: string, patience = seconds(0)): Promise<boolean> {
    if (!(await this.#sources.remove(id, patience))) return false
    this.#dispatcher.cancel(task => task.source === id && task.homeId === this.view.self)
    this.#announcer.changed()
    return true
  }

  async addModel(model: OwnedModel, mayOwn?: (manifest: ModelManifest) => void): Promise<void> {
    this.#abort.signal.throwIfAborted()
    await this.#models.add(model, mayOwn)
  }

  updateModel(model: OwnedModel): Promise<boolean> {
    return this.#models.update(model)
  }

  removeModel(name: string): Promise<boolean> {
    return this.#models.remove(name)
  }

  stopAdapting(): void {
    this.#adapts = false
  }

  watchSteps(): StepWatch {
    return new StepWatch({ ...this.#parts, view: this.view, own: this.#steps })
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
    await this.#pinKeeper.read()
    signal.throwIfAborted()
    // Before the network: cutting keeps this thread busy, and others would take it for silence.
    if (await this.#models.prepare()) this.#announcer.hearSelf()
    await this.#sources.check()
    signal.throwIfAborted()
    await network.start(this.#handlers())
    signal.throwIfAborted()
    if (this.#life.kind === 'starting') this.#life = { kind: 'running' }
    this.#isUp = true
    this.#announcer.changed()
    this.#loop()
    const ready = (): void =>
      this.#guard.run('telling that it is ready', () => this.#parts.event({ event: 'ready', status: this.status() }))
    this.#sources.begin(startWhen, ready, begun).catch(() => {}) // whoever waits for them hears of it
  }

  get sourcesHaveBegun(): boolean {
    return this.#sources.hasBegun
  }

  /** Nothing of a model that has left is here any more. */
  #isLeft(model: ModelId): boolean {
    const isMeant = (one: { readonly modelId: ModelId | undefined }): boolean => one.modelId === model
    const isUsed = this.#dispatcher.has(isMeant) || this.#sources.all().some(isMeant)
    return this.#keeper.hasSwept(model) && this.#owned.owned(model) === undefined && !isUsed
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
    // Whoever listens may fail too: it stops all the same.
    this.#guard.run('saying that it failed', () => say(`failed, and stops: ${because}`, 'error'))
    this.#guard.run('telling that it failed', () => event({ event: 'failed', level: 'error', because }))
    this.stop({ patience: seconds(0) }).catch(problem => this.#guard.failed('stopping', problem))
  }

  sourcesDone(): Promise<void> {
    return this.#sources.done()
  }

  status(): ClusterStatus {
    return this.#reporter.clusterStatus()
  }

  async drain(device: DeviceId): Promise<void> {
    await this.#drains.drain(device, this.view.nameOf(this.view.self), false)
  }

  async #beDrained(asker: string): Promise<string> {
    const drained = this.#drain.begin(asker, this.#abort.signal)
    void this.#guard.watch(
      'draining',
      drained.catch(error => this.#abort.signal.aborted || Promise.reject(error))
    )
    return drained
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
    const { models, prepareModel = cannotPrepare } = this.#parts
    return new OwnedModels({
      models,
      view: this.view,
      names: this.#parts.keptNames,
      check: (manifest: ModelManifest) => this.#blocks.requireDeclared(manifest),
      prepare: async owned => {
        const signal = this.#abort.signal
        const [engine, { speed }] = [this.#engine, this.#reporter]
        const manifest = await prepareModel(owned, { ...this.#parts, engine, speed, signal })
        return sealManifest(manifest, this.view.self, this.#parts.signer)
      }
    })
  }

  /** A source here, or who sends out what is computed a second time. */
  #taker(source: string): DatumTaker | undefined {
    return this.#audits.taker(source) ?? this.#sources.get(source)
  }

  #createAudits(): AuditDesk {
    return new AuditDesk({
      ...this.#parts,
      guard: this.#guard,
      view: this.view,
      breaker: this.breaker,
      submit: task => this.submit(task),
      cancel: belongs => void this.#dispatcher.cancel(belongs),
      source: id => this.#sources.get(id),
      setAside: () => this.setAside()
    })
  }

  #createDesk(): ModelDesk {
    const { takeOrder = () => Promise.reject(new Error('this device takes no orders')) } = this.#parts
    return new ModelDesk({
      ...this.#parts,
      view: this.view,
      owned: this.#owned,
      takeOrder,
      changed: () => this.#announcer.changed(),
      update: order => this.#models.update({ ...withoutFingerprint(this.#owned.given(order.name)), ...order }),
      dismiss: model => this.#models.dismiss(model)
    })
  }

  #createPlans(): PlanDesk {
    return new PlanDesk({
      clock: this.#parts.clock,
      view: this.view,
      wholeModels: this.#dispatcher.policy.wholeModels ?? false,
      foresee: this.#parts.foresee,
      rate: () => this.status().sources.reduce((sum, { rate }) => sum + rate, 0)
    })
  }

  #createDrain(): Drain {
    const { clock, say, leave = () => {} } = this.#parts
    return new Drain({
      ...{ clock, view: this.view, say, stop: leave },
      placement: () => this.#placement,
      changed: () => this.#announcer.changed()
    })
  }

  #handlers(): NetworkHandlers {
    const handlers = createHandlers({
      ...this.#parts,
      view: this.view,
      stretch: this.stretch,
      dispatcher: this.#dispatcher,
      source: id => this.#taker(id),
      farewells: this.#farewells,
      audits: this.#audits,
      door: this.#door,
      draining: () => this.#draining,
      status: () => this.status(),
      models: request => this.#desk.answer(request),
      reload: this.#parts.reload,
      steps: answerSteps({
        ...{ clock: this.#parts.clock, life: this.#parts.network.life, own: this.#steps },
        ofAll: wanted => this.watchSteps().poll(wanted)
      }),
      drain: (from, request) => this.#drains.answer(from, request),
      placement: () => this.#placement,
      inbox: this.#inbox,
      budgets: this.#budgets,
      refused: (from, because) => this.#refusePlacement(from, because),
      changed: () => this.#later(),
      arrives: () => this.#reporter.stir(),
      peerLost: peer => {
        this.#reporter.stir()
        this.#traffic.peerLost(peer)
      },
      joined: peer => this.#announcer.introduce(peer),
      restarted: peer => this.#restarted(peer),
      blame: (task, device, because) => this.#traffic.blame(task, device, because),
      granted: by => this.#traffic.granted(by)
    })
    return guardedHandlers(handlers, this.#guard)
  }

  /** Everything that happens by time happens here: reports when their policy wants them, the rest ten times a second; less often at rest. */
  #loop(): void {
    const clock = this.#rhythm
    const report = (): void => this.#announcer.report()
    const interval = (): Seconds => this.#announcer.interval
    void this.#guard.every('reporting to the others', interval, report, { clock, signal: this.#abort.signal })
    const tick = (): void => this.#tick()
    void this.#guard.every('looking after everything', () => TICK, tick, { clock, signal: this.#abort.signal })
  }

  /** Each job by itself: what one fails at, the others do not. */
  #tick(): void {
    const job = <T>(name: string, work: () => T): T | undefined => this.#guard.run(name, work)
    job('hearing how links are', () => this.#lookAtLinks())
    job('trusting devices again', () => this.#trustAgain())
    job('looking for unknown models', () => this.#finder.tick())
    job('looking after models', () => this.#models.tick())
    job('telling which models have left', () => this.#farewells.tick())
    job('seeing what is offered by names that are used', () => this.#pinKeeper.tick())
    job('electing who plans', () => this.#elect())
    if (this.#adapts) job('looking whether to plan', () => this.#leader.tick(this.#placement))
    job('looking after blocks', () => this.#keeper.tick())
    if (this.#adapts) job('choosing lanes', () => this.#lanes.tick())
    if (this.#adapts) job('timing batches', () => this.#batches.tick())
    job('reminding of the placement', () => this.#reminder.tick(this.#placement))
    job('looking after orphans', () => this.#orphans.tick())
    job('forgetting who is gone for good', () => this.#goneWatch.tick())
    job('seeing what a placement brought', () => this.plans.tick())
    job('asking for clearance again', () => this.#dispatcher.remind())
    const hasBegunAnew = this.#adapts && job('deciding anew', () => this.#dispatcher.reconsider()) === true
    this.#sources.tick()
    // The others hear how dear this device has become before they are told what is committed to it, in those seconds.
    job('telling its state', () => this.#announcer.publishIfDue(hasBegunAnew))
    job('forgetting what may be audited', () => this.#audits.tick())
    job('letting data go', () => this.#traffic.letGo())
    if (this.#dispatcher.waiting().length > 0) this.#later()
    job('saying what data wait for', () => this.#words.data())
  }

  #lookAtLinks(): void {
    const { network } = this.#parts
    let isNews = false
    for (const [peer] of network.peers()) {
      const isNew = this.view.isNewLink(peer)
      if (network.leadsTo?.(peer) === false || !(this.#adapts || isNew)) continue
      const link = network.link(peer)
      if (link === undefined) continue
      const rate = this.#encodings.choose(peer, link.rate)
      this.view.setLink(network.self, peer, rate, link.latency, link.medium)
      isNews ||= isNew && !this.view.isNewLink(peer)
    }
    if (!isNews) return
    this.#announcer.changed()
    // Who plans waits for it, and may not hear it by gossip.
    const { elects } = this.#election
    if (elects !== undefined) this.#announcer.tell(elects)
  }

  #trustAgain(): void {
    if (!this.view.distrust.expire(this.#parts.clock.now())) return
    this.view.review()
    this.#later()
  }

  /** Look at waiting tasks and blocks once the current burst of news is through. */
  #later(): void {
    this.#rhythm.wake()
    if (this.#reconsider) return
    this.#reconsider = true
    queueMicrotask(() => {
      this.#reconsider = false
      this.#guard.run('moving what waits', () => this.#dispatcher.worldChanged())
      this.#guard.run('electing who plans', () => this.#elect())
      this.#guard.run('looking after blocks', () => this.#keeper.tick())
    })
  }

  #elect(): void {
    this.#room.tick()
    if (this.#election.tick()) this.#announcer.changed()
    this.#inbox.tick()
  }

  #refusePlacement(from: DeviceId, because: string): void {
    this.#parts.say(`a placement of ${this.view.nameOf(from)} is not followed: ${because}`, 'warn')
  }

  #publish(placement: NumberedPlacement): void {
    this.#announcer.tellAll(notice('placement', placementToWire(placement)))
    this.#reminder.told()
    this.#adopt(placement)
  }

  #adopt(placement: NumberedPlacement): void {
    this.#guard.run('noting a placement', () => this.plans.adopted(placement))
    this.#placement = placement
    this.#keeper.adopt(placement)
    this.#announcer.changed()
    this.#guard.run('telling of a placement', () => this.#sayFollowed(placement))
  }

  /** On every device, so that any of them shows all plans. */
  #sayFollowed({ epoch, planner, placement: { size } }: NumberedPlacement): void {
    const whose = planner === this.view.self ? '' : ` of ${this.view.nameOf(planner)}`
    this.#parts.say(`placement ${formatEpoch(epoch)}${whose} for ${size} device${size === 1 ? '' : 's'}`)
  }

  /** It is gone for good. Whoever comes next may have its number in the world: of that one nothing is known either. */
  #forget(peer: DeviceId): void {
    const index = this.view.retire(peer)
    if (index !== undefined) this.#dispatcher.forget(index)
    this.breaker.forget(peer)
    this.#audits.forget(peer)
    this.#encodings.forget(peer)
    this.#reporter.forget(peer)
  }

  #restarted(peer: DeviceId): void {
    this.breaker.restarted(peer)
    this.setAside()
    this.#audits.restarted(peer)
    this.#dispatcher.forget(this.view.world.deviceIndex(peer)!)
  }

  /** Whatever of it fails, the rest is ended too. */
  async #shutDown(patience: Seconds): Promise<void> {
    const { clock, network, engine, say } = this.#parts
    const wasOn = this.#isOn
    if (this.#life.kind !== 'failed') this.#life = { kind: 'draining' }
    await this.#sources.stop()
    if (wasOn) this.#guard.run('telling its state', () => this.#announcer.publishState())
    const until = clock.now() + patience
    const busy = (): boolean => this.#dispatcher.queued().lane + this.#dispatcher.queued().links > 0
    while (busy() && clock.now() < until) await clock.sleep(seconds(0.02))
    if (wasOn) this.#guard.run('saying goodbye', () => this.#announcer.tellAll(notice('goodbye', {})))
    this.#abort.abort(new Error('the device stops'))
    try {
      await network.stop()
    } finally {
      await engine.stop()
      if (this.#life.kind !== 'failed') this.#life = { kind: 'stopped' }
      if (this.#drain.isLeaving) say(this.#drain.outcome)
    }
  }
}

/** Another file is to be another model. */
const withoutFingerprint = ({ fingerprint: _, ...model }: Partial<OwnedModel> = {}): Partial<OwnedModel> => model
