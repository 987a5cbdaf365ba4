import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { KeepFailures } from '../../cluster/keep-failures.ts'
import { type Lack, lackOf } from '../../cluster/lack-of.ts'
import type { Leader } from '../../cluster/leader.ts'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { PEER_BUDGETS } from '../../cluster/peer-budgets.ts'
import { areReady, missingBlock } from '../../cluster/readiness.ts'
import { TICK } from '../../cluster/rhythm.ts'
import type { ActivationEncoding } from '../../core/activation-encoding.ts'
import { cleanTexts } from '../../core/clean-texts.ts'
import type { Clock } from '../../core/clock.ts'
import { termOf } from '../../core/epoch.ts'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { memoryOfLane } from '../../core/memory-of-lane.ts'
import { parseBounded } from '../../core/parse-bounded.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { Bar } from '../cluster/block-keeper.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { SetAside } from '../cluster/distrust.ts'
import type { LocalBlocks } from '../cluster/local-blocks.ts'
import type { Farewell } from '../cluster/model-farewells.ts'
import { sourceToWire } from '../cluster/source-codec.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { type CarriedModelSchema, type DeviceState, DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { BlockProvider } from '../ports/engine.ts'
import type { Network, PeersBudgets } from '../ports/network.ts'
import type { AuditDesk } from './audit/audit-desk.ts'
import type { DeviceLife } from './device-life.ts'
import { type ClusterStatus, type DeviceReport, deviceReportSchema } from './device-status.ts'
import { differences } from './differences.ts'
import type { LogLevel } from './log-level.ts'
import type { OwnedName } from './owned-models.ts'
import { RecentRate } from './recent-rate.ts'
import { ResidentMemory } from './resident-memory.ts'
import type { SourcePort } from './source-port.ts'
import { ToldLinks } from './told-links.ts'

export interface DeviceReporterParts {
  readonly name: string
  readonly clock: Clock
  readonly network: Network
  /** For blocks, in all lanes together. */
  readonly memory: Bytes
  readonly emulated: boolean
  readonly incarnation: number
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly dispatcher: Dispatcher<DeviceTask>
  readonly sources: () => readonly SourcePort[]
  readonly placement: () => NumberedPlacement | undefined
  readonly readyEpoch: () => number
  /** Whom this device wants to plan. */
  readonly elects: () => DeviceId | undefined
  readonly weightsFetched: () => number
  readonly leader: () => Pick<Leader, 'plans' | 'drift' | 'planningFor'>
  readonly draining: () => boolean
  /** On its way out, though it may still compute. */
  readonly leaving: () => boolean
  readonly canPlan: boolean
  /** How activations travel to a peer now. */
  readonly encodingTo: (peer: DeviceId) => ActivationEncoding
  /** The names that this device gives to models that it owns. */
  readonly owned: () => readonly OwnedName[]
  /** Devices that this one's sources have seen fail at what others can do. */
  readonly setAside: () => readonly SetAside[]
  /** Models that are not computed here at present, because a block did not end. */
  readonly barred: () => ReadonlyMap<ModelId, Bar>
  /** What is wrong with this device, in words; the same words while it lasts. */
  readonly troubles: () => readonly string[]
  /** What its jobs failed at. */
  readonly guard: JobGuard
  readonly life: () => DeviceLife
  /** Blocks that were to be here and are not to be had. */
  readonly failures: KeepFailures
  /** Messages about data of its sources by devices that were not given these. */
  readonly unproven: () => number
  readonly budgets: PeersBudgets
  /** Of models that have left. */
  readonly farewells: () => readonly Farewell[]
  readonly audits: Pick<AuditDesk, 'counts' | 'isOn'>
  /** As it was asked for. */
  readonly activationEncoding?: string | undefined
  readonly say?: ((text: string, level?: LogLevel) => void) | undefined
  /** Something happens here after it had rested. @default nobody is told */
  readonly woken?: () => void
  /** Nothing has happened for a while: told again and again while that lasts. @default nobody is told */
  readonly rested?: (() => void) | undefined
  /** What this process has of the machine's memory. @default 0: nobody asks for it */
  readonly residentMemory?: () => Bytes
}

/** Slow state goes out at least this often while something happens, and for a while after: gossip may not reach everybody. */
const INTERVAL: Seconds = seconds(1)
const RESTLESS: Seconds = seconds(10)
/** And so often where nothing does. */
const IDLE_INTERVAL: Seconds = seconds(10)
/** Of many devices slow state goes out once in so many of their reports less an interval; where nothing happens, of their pauses. */
const REPORTS_PER_STATE = 20
const IDLE_PAUSES_PER_STATE = 100
/** How often a trouble that lasts is said. */
const SAY_AGAIN: Seconds = seconds(300)
/** Peers beyond a budget that are told of. */
const MOST_REFUSED = 20
/** What devices were told does not change while they live: how often it is looked at all the same. */
const COMPARE: Seconds = seconds(5)
const COMPARE_OTHERS: Seconds = seconds(1)

/** Says what this device is and does: as slow state for the others, as status for people. */
export class DeviceReporter {
  /** Measured at the start. */
  speed = 1
  readonly #parts: DeviceReporterParts
  readonly #startedAt: Seconds
  readonly #sentTo = new Map<DeviceId, number>()
  /** For devices, by id, and in words, by name. */
  readonly #told = new ToldLinks()
  readonly #toldInWords = new ToldLinks()
  #sentToGone = 0
  #sequence = 0
  #lastAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #stirredAt: Seconds = seconds(0)
  #rests = false
  #tasksSeen = 0
  readonly #tasks = new RecentRate()
  readonly #busy = new RecentRate()
  #lookedAt: Seconds | undefined
  #tickLateness = 0
  #ticks = 0
  /** How many devices sources wait for. */
  #awaited = 1
  #saidDifferences = ''
  /** Which lives of which devices, and when. */
  #comparedWith = ''
  #comparedAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  readonly #rss: ResidentMemory
  readonly #readStates = new WeakMap<DeviceState, DeviceReport | undefined>()
  readonly #saidTroubles = new Map<string, Seconds>()

  constructor(parts: DeviceReporterParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
    this.#stirredAt = this.#startedAt
    this.#rss = new ResidentMemory(parts.clock, parts.residentMemory)
  }

  /** Something happens here, or somebody has come or gone. */
  stir(): void {
    this.#stirredAt = this.#parts.clock.now()
    if (!this.#rests) return
    this.#rests = false
    this.#parts.woken?.()
  }

  /** Nothing has happened for a while, as of when it was last asked whether its state is due. */
  get rests(): boolean {
    return this.#rests
  }

  /**
   * To be asked ten times a second, unless it rests: how late that is tells how busy this machine is with something else.
   * @param pause between two reports of a device: where there are many, slow state is slower too
   */
  isDue(pause: Seconds): boolean {
    const now = this.#parts.clock.now()
    if (this.#lookedAt !== undefined) {
      this.#tickLateness += Math.max(0, now - this.#lookedAt - TICK)
      this.#ticks++
    }
    this.#rest()
    this.#lookedAt = this.#rests ? undefined : now
    const least = REPORTS_PER_STATE * pause - INTERVAL
    if (now - this.#lastAt < Math.max(INTERVAL, least)) return false
    if (this.#hasWorked()) this.stir()
    const idle = Math.max(IDLE_INTERVAL, IDLE_PAUSES_PER_STATE * pause)
    return now - this.#lastAt >= (this.isRestless() ? Math.max(INTERVAL, least) : idle)
  }

  #rest(): void {
    this.#rests = !this.isRestless()
    if (this.#rests) this.#parts.rested?.()
  }

  isRestless(): boolean {
    return this.#parts.clock.now() - this.#stirredAt < RESTLESS
  }

  /** Since it was last asked, or it still does. */
  #hasWorked(): boolean {
    const { dispatcher, sources } = this.#parts
    const { tasks } = dispatcher.laneCounters()
    const { lane, links, waiting } = dispatcher.queued()
    const hasWorked = tasks !== this.#tasksSeen || lane + links + waiting > 0
    this.#tasksSeen = tasks
    return hasWorked || sources().some(source => source.status().inFlight > 0)
  }

  /** What the others are told now. */
  nextState(): DeviceState {
    this.#lastAt = this.#parts.clock.now()
    this.#sayDifferences()
    this.#sayTroubles()
    return this.described()
  }

  /** What this device is, carries and knows, and what people see of it. */
  described(): DeviceState {
    // What it has and does is told also where that cannot be put in words.
    const inWords = (): string => {
      const report = this.deviceReport()
      this.#toldInWords.keepOnly(new Set(report.links.map(({ to }) => to)))
      return JSON.stringify({ ...report, links: report.links.map(link => this.#inWords(link)) }, sixDigits)
    }
    return this.stateNow(this.#parts.guard.run('describing itself', inWords) ?? '')
  }

  #inWords(link: DeviceReport['links'][number]): DeviceReport['links'][number] {
    return { ...link, ...this.#toldInWords.of(link.to, link) }
  }

  /** What this device is, carries and knows. @param status in words, for people; what is for itself needs none */
  stateNow(status = ''): DeviceState {
    const { name, network, clock, emulated, incarnation, view, leaving, readyEpoch, sources } = this.#parts
    const links = view.world.links[view.selfIndex]!.filter(link => link.up)
    const room = this.#roomForPlanner()
    const follows = this.#parts.placement()
    const { planningFor } = this.#parts.leader()
    return create(DeviceStateSchema, {
      device: network.self,
      name,
      incarnation: BigInt(incarnation),
      sequence: BigInt(++this.#sequence),
      speed: this.speed,
      lanes: this.#parts.blocks.lanes,
      ...(room === Number.POSITIVE_INFINITY ? {} : { memory: BigInt(room) }),
      canPlan: this.#parts.canPlan,
      leaving: leaving(),
      emulated,
      readyEpoch: BigInt(readyEpoch()),
      elects: this.#parts.elects() ?? '',
      ...(planningFor === undefined ? {} : { planningFor }),
      ...(follows === undefined ? {} : { follows: follows.planner, followsTerm: termOf(follows.epoch) }),
      models: this.#spokenOf().flatMap(id => this.#carried(id)),
      links: links.map(({ to, rate, latency, resource }) => {
        const { id } = view.world.devices[to]!
        return { to: id, ...this.#told.of(id, { rate, latency }), medium: view.mediumOf(resource) }
      }),
      status,
      sources: sources().map(source => {
        const { model, state } = source.status()
        return sourceToWire(model, source.arrivals, {
          modelId: source.modelId,
          done: state === 'done',
          isUncounted: source.isUncounted === true
        })
      }),
      goneModels: [...view.models.gone(clock.now())],
      farewells: [...this.#parts.farewells()],
      life: network.life,
      setAside: this.#setAside(),
      audits: this.#parts.audits.isOn
    })
  }

  /** For the blocks of each lane. One whose disk takes no more has room for what it carries, where others may carry the rest. */
  #roomForPlanner(): number {
    const { memory, failures, blocks, view, clock } = this.#parts
    const isFull = failures.isFull(clock.now()) && view.members().length > 1
    const room = memoryOfLane(memory, blocks.lanes)
    return Math.floor(isFull ? Math.min(room, blocks.weight()) : room)
  }

  /**
   * Whether sources may begin. Where so many devices were asked for, all of them must be ready; a device that comes to a
   * running cluster need not wait until blocks have moved: it begins when its data can be computed. Nor does it wait for
   * a block that fits nowhere: then its data wait, and are said to.
   */
  mayBegin(devices: number): boolean {
    this.#awaited = devices
    return this.#isReady(devices) || (devices === 1 && this.#canCompute())
  }

  /** Everybody is there, and where there are sources, what they need is in its places. */
  #isReady(devices: number): boolean {
    const { view, sources } = this.#parts
    if (view.planned().length < devices) return false
    return sources().length === 0 || this.#isPlaced()
  }

  /** Everybody has loaded what is placed on it, and the links between us are measured. */
  #isPlaced(): boolean {
    const { view, placement } = this.#parts
    const staying = view.planned().map(state => ({ id: deviceId(state.device), readyEpoch: this.#epochOf(state) }))
    return areReady(staying, placement()) && this.#linksAreMeasured()
  }

  /** There is no model, so that nothing is to be placed, and nobody here waits for one. */
  #needsNoPlacement(): boolean {
    const { view, sources } = this.#parts
    return sources().length === 0 && view.manifests().length === 0 && view.unknownModels().length === 0
  }

  /** Every block of the models of our sources is on some device that is there. */
  #canCompute(): boolean {
    const { view, sources } = this.#parts
    const { world } = view
    return (
      this.#linksAreMeasured() &&
      sources().every(source => {
        const manifest = view.manifestNamed(source.status().model)
        const m = manifest === undefined ? undefined : world.modelIndex(manifest.id)
        return m !== undefined && missingBlock(world, m, view.selfIndex) === undefined
      })
    )
  }

  #linksAreMeasured(): boolean {
    const { view, network } = this.#parts
    return view
      .planned()
      .filter(({ device }) => device !== view.self && network.leadsTo?.(deviceId(device)) !== false)
      .every(({ device }) => view.world.link(view.selfIndex, view.world.deviceIndex(deviceId(device))!) !== undefined)
  }

  deviceReport(): DeviceReport {
    const { name, network, clock, memory, emulated, view, dispatcher, sources } = this.#parts
    const { tasks, busy } = dispatcher.laneCounters()
    const now = clock.now()
    return {
      name,
      id: network.self,
      role: view.isGuest(network.self) ? 'guest' : 'device',
      speed: this.speed,
      emulated,
      memory: memory === Number.POSITIVE_INFINITY ? null : memory,
      lanes: this.#parts.blocks.lanes,
      split: this.#split(),
      policy: dispatcher.policy.name,
      activationEncoding: this.#parts.activationEncoding ?? 'fp32',
      uptime: now - this.#startedAt,
      models: this.#models(),
      queue: dispatcher.queued(),
      tasks,
      busySeconds: busy,
      lateSeconds: this.#parts.blocks.late,
      busy: Math.min(1, this.#busy.at(now, busy)),
      tickLateness: this.#tickLateness,
      ticks: this.#ticks,
      rate: this.#tasks.at(now, tasks),
      bytesSent: this.#bytesSent(),
      weightsFetched: this.#parts.weightsFetched(),
      planning: this.#planning(),
      rss: this.#rss.now(),
      links: this.#links(),
      waiting: this.#waiting(view),
      barred: [...this.#parts.barred()].map(([model, { because, until }]) => ({
        model: view.labelOf(model),
        seconds: until === Number.POSITIVE_INFINITY ? null : until - now,
        because
      })),
      ...this.#state(),
      troubles: [...this.#parts.troubles(), ...this.#parts.guard.troubles()]
        .slice(0, 100)
        .map(text => text.slice(0, 1000)),
      jobs: this.#parts.guard.failures().slice(0, 100),
      counters: { ...network.counters(), unproven: this.#parts.unproven(), beyondBudget: this.#beyondBudget() },
      refusedPeers: this.#refusedPeers(),
      audits: { ...this.#parts.audits.counts, setAside: this.#audited() },
      sources: sources().map(source => this.#withReason(source.status()))
    }
  }

  /** Its own, and those of its network. */
  #budgets(): readonly PeersBudgets[] {
    const { budgets, network } = this.#parts
    return [budgets, network.budgets?.() ?? []].flat()
  }

  #beyondBudget(): Record<string, number> {
    const sums: Record<string, number> = Object.fromEntries(Object.keys(PEER_BUDGETS).map(kind => [kind, 0]))
    for (const [kind, times] of this.#budgets().flatMap(budgets => [...budgets.refusals()]))
      sums[kind] = (sums[kind] ?? 0) + times
    return sums
  }

  #refusedPeers(): DeviceReport['refusedPeers'] {
    const { view } = this.#parts
    return this.#budgets()
      .flatMap(budgets => budgets.beyond())
      .slice(0, MOST_REFUSED)
      .map(({ peer, kind, times, because }) => {
        const name = view.state(peer as DeviceId) === undefined ? peer : view.nameOf(peer as DeviceId)
        return { peer: name.slice(0, 200), budget: kind, times, because }
      })
  }

  #split(): DeviceReport['split'] {
    const { split } = this.#parts.blocks
    return split === undefined ? null : { threads: split.threads, because: split.because.slice(0, 2000) }
  }

  /** What is not finite does not travel. */
  #planning(): DeviceReport['planning'] {
    const { drift, plans, planningFor } = this.#parts.leader()
    return {
      drift: Math.min(drift, Number.MAX_SAFE_INTEGER),
      plans: Object.fromEntries(plans),
      seconds: planningFor ?? null
    }
  }

  #state(): Pick<DeviceReport, 'state' | 'because'> {
    const life = this.#parts.life()
    const state = life.kind === 'running' && this.#parts.leaving() ? 'draining' : life.kind
    return { state, because: life.kind === 'failed' ? life.because.slice(0, 1000) : '' }
  }

  /** Of a source that has not begun, what the cluster lacks. */
  #withReason(source: DeviceReport['sources'][number]): DeviceReport['sources'][number] {
    if (source.state !== 'waiting' || source.because !== '') return source
    return { ...source, because: this.#whyNotBegun() }
  }

  #whyNotBegun(): string {
    const { view, placement } = this.#parts
    const there = view.planned().length
    if (view.manifests().length === 0) return 'no device has a model: give one to this device or another'
    if (there < this.#awaited) return `waits for devices: ${there} of ${this.#awaited} are there`
    const current = placement()
    if (current === undefined) return 'waits until blocks are placed'
    const absent = view.planned().filter(({ device }) => !current.placement.has(deviceId(device)))
    if (absent.length > 0)
      return `waits until blocks are placed anew: ${absent.map(({ name }) => name).join(', ')} came later`
    const loading = view.planned().filter(state => this.#epochOf(state) < current.epoch)
    if (loading.length > 0) return `waits until blocks are loaded: ${loading.map(({ name }) => name).join(', ')}`
    return this.#linksAreMeasured() ? 'begins' : 'waits until the links are measured'
  }

  #epochOf({ device, readyEpoch }: DeviceState): number {
    return device === this.#parts.view.self ? this.#parts.readyEpoch() : Number(readyEpoch)
  }

  /** Once for each state of affairs; every device says it in its own log. Looked at soon after others have come, and now and then. */
  #sayDifferences(): void {
    const { name, clock, dispatcher, view, activationEncoding = 'fp32' } = this.#parts
    const members = view
      .members()
      .map(({ device, life }) => `${device} ${life}`)
      .join()
    if (clock.now() - this.#comparedAt < (members === this.#comparedWith ? COMPARE : COMPARE_OTHERS)) return
    this.#comparedWith = members
    this.#comparedAt = clock.now()
    const own = { name, policy: dispatcher.policy.name, activationEncoding }
    const said = differences([own, ...this.#othersReports()].sort(byName)).join('; ')
    if (said === this.#saidDifferences) return
    this.#parts.say?.(said === '' ? 'all devices are told the same again' : said, said === '' ? 'info' : 'warn')
    this.#saidDifferences = said
  }

  /** Each when it comes, and again every few minutes while it lasts: what a log had once may be gone from it. */
  #sayTroubles(): void {
    const now = this.#parts.clock.now()
    const troubles = new Set(this.#parts.troubles())
    for (const text of this.#saidTroubles.keys()) if (!troubles.has(text)) this.#saidTroubles.delete(text)
    for (const text of troubles) {
      if (now - (this.#saidTroubles.get(text) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN) continue
      this.#saidTroubles.set(text, now)
      this.#parts.say?.(text, 'warn')
    }
  }

  #reports(): DeviceReport[] {
    const own = this.#labelled(this.#parts.view.self, this.deviceReport())
    return [own, ...this.#othersReports()].sort(byName)
  }

  /** From what every device last said of itself; this one's part is fresh. */
  clusterStatus(): ClusterStatus {
    const { view, placement } = this.#parts
    const reports = this.#reports()
    const guests = reports.filter(looksOn)
    const current = placement()
    const sources = reports.flatMap(report => report.sources)
    const sum = (of: (source: (typeof sources)[number]) => number): number => sources.reduce((n, s) => n + of(s), 0)
    return {
      answeredBy: view.nameOf(view.self),
      planner: current === undefined ? null : view.nameOf(current.planner),
      devices: devicesAmong(reports, guests),
      guests: guests.map(({ name, id }) => ({ name, id })),
      sources,
      differences: differences(reports),
      placement: this.#placementReport(current),
      setAside: this.#setAsideNamed(reports),
      audits: auditsOf(reports),
      losses: {
        lost: sum(s => s.lost),
        duplicates: sum(s => s.duplicates),
        resent: sum(s => s.resent),
        failed: sum(s => s.failed),
        dropped: sum(s => s.dropped),
        devicesLost: view.lost().length
      }
    }
  }

  /** What data here wait for. */
  waiting(): DeviceReport['waiting'] {
    return this.#waiting(this.#parts.view)
  }

  /** Models of the cluster, and those that have left it and are brought back by being owned here. */
  #spokenOf(): readonly ModelId[] {
    const { view, owned } = this.#parts
    const mine = owned().flatMap(({ model }) => (view.manifest(model) === undefined ? [] : [model]))
    return [...new Set([...view.manifests().map(({ id }) => id), ...mine])]
  }

  /** What is carried of a model; for each name that this device gives to it, once. */
  #carried(id: ModelId): MessageInitShape<typeof CarriedModelSchema>[] {
    const { view, blocks, draining, owned } = this.#parts
    const m = view.world.modelIndex(id)!
    const held = draining() ? [] : [...(blocks.held().get(id)?.keys() ?? [])]
    // Not all that is loaded: a block about to be dropped is no longer offered.
    const offered = held.filter(k => view.isOffered(id, k)).sort((a, b) => a - b)
    const times = [...(blocks.declared(view.manifest(id)!) ?? [])]
    const timed = offered.map(block => ({
      block,
      seconds: view.world.blockTime(view.selfIndex, m, block),
      batch: [...(view.world.batchCurve(view.selfIndex, m, block)?.points.slice(1) ?? [])]
    }))
    const names = owned().filter(({ model }) => model === id)
    // One that nobody owns is spoken of by whoever knows it: a planner that does not would be passed over for not placing it.
    const isSpokenOf = timed.length + times.length > 0 || view.models.owners(id).length === 0
    if (names.length === 0) return isSpokenOf ? [{ model: id, blocks: timed, times }] : []
    return names.map(({ name, revision }, i) => ({
      ...{ model: id, owner: true, name, revision },
      ...(i === 0 ? { blocks: timed, times } : {})
    }))
  }

  /** What this device itself has found, for people. */
  #audited(): DeviceReport['audits']['setAside'] {
    const { view, clock, setAside } = this.#parts
    return setAside().flatMap(({ device, model, until, because, isAudited }) =>
      isAudited === true
        ? [{ device: view.nameOf(device), model: view.labelOf(model), seconds: until - clock.now(), because }]
        : []
    )
  }

  #setAside(): { device: string; model: string; seconds: number; because: string; audited: boolean }[] {
    const now = this.#parts.clock.now()
    return this.#parts.setAside().map(({ device, model, until, because, isAudited: audited = false }) => ({
      ...{ device, model, seconds: until - now, audited },
      because: because.slice(0, 200)
    }))
  }

  /** By devices' and models' names, for people. */
  #setAsideNamed(reports: readonly DeviceReport[]): ClusterStatus['setAside'] {
    const { view, clock } = this.#parts
    const aside = view.distrust.setAside().map(({ device, model, until, because }) => ({
      device: view.nameOf(device),
      model: view.labelOf(model),
      seconds: Math.max(0, until - clock.now()),
      because
    }))
    const barred = reports.flatMap(({ name: device, barred }) =>
      barred.map(({ model, seconds: left, because }) => ({ device, model, seconds: left, because }))
    )
    return [...aside, ...barred]
  }

  #models(): DeviceReport['models'] {
    const { blocks, view } = this.#parts
    return Object.fromEntries(
      [...blocks.held()].flatMap(([id, held]) => {
        const manifest = view.manifest(id)
        if (manifest === undefined || held.size === 0) return []
        const numbers = [...held.keys()].sort((a, b) => a - b)
        const size = numbers.reduce((sum, k) => sum + manifest.blocks[k]!.bytes, 0)
        const asked = numbers.flatMap(k => blocks.providerOf(manifest, k) ?? [])
        const providers = asked.length === 0 ? {} : { providers: asked.map(shorten) }
        const together = this.#batches(id, numbers)
        const batches = together.every(most => most === 1) ? {} : { batches: together }
        const what = { blocks: numbers, residentBytes: blocks.lanes * size, ...providers, ...batches }
        return [[view.labelOf(id), what] as const]
      })
    )
  }

  /** So many data of each of these blocks are run at once at most. */
  #batches(id: ModelId, blocks: readonly number[]): number[] {
    const { world, selfIndex } = this.#parts.view
    const model = world.modelIndex(id)
    return blocks.map(k => (model === undefined ? undefined : world.batchCurve(selfIndex, model, k))?.best ?? 1)
  }

  #links(): DeviceReport['links'] {
    const { network, view, encodingTo } = this.#parts
    return [...network.peers()].flatMap(([peer, role]) => {
      const link = role === 'observer' ? undefined : network.link(peer)
      if (link === undefined) return []
      const { shaped: emulated, ...measured } = link
      return [{ to: view.nameOf(peer), medium: '', ...measured, emulated, encoding: encodingTo(peer) }]
    })
  }

  /** To everybody so far, also to those who have left. */
  #bytesSent(): number {
    const { network, view } = this.#parts
    for (const { id } of view.world.known())
      this.#sentTo.set(id, Math.max(this.#sentTo.get(id) ?? 0, network.link(id)?.bytesSent ?? 0))
    return [...this.#sentTo.values()].reduce((sum, sent) => sum + sent, this.#sentToGone)
  }

  /** It is gone for good; what was sent to it counts on. */
  forget(peer: DeviceId): void {
    this.#told.forget(peer)
    this.#sentToGone += this.#sentTo.get(peer) ?? 0
    this.#sentTo.delete(peer)
  }

  #waiting(view: ClusterView): DeviceReport['waiting'] {
    const groups = new Map<string, DeviceReport['waiting'][number]>()
    for (const { task, because, rest } of this.#parts.dispatcher.waiting()) {
      const manifest = view.manifest(task.modelId)!
      const lack = lackOf(because, manifest.blocks.length)
      const block = because.kind === 'wait' ? because.block : task.done
      const key = `${task.modelId} ${block} ${because.kind} ${rest === undefined}`
      const tasks = (groups.get(key)?.tasks ?? 0) + 1
      const why = this.#whyItWaits(lack, task.modelId, rest !== undefined)
      groups.set(key, { model: view.labelOf(manifest.id), block, tasks, because: why })
    }
    return [...groups.values()]
  }

  #whyItWaits(lack: Lack, model: ModelId, wasRefused: boolean): string {
    if (lack.kind === 'policy') return lack.because
    if (lack.kind === 'wayHome')
      return wasRefused ? REFUSED : 'no way is known back to their source from where their last block is computed'
    const { block } = lack
    const barred = this.#parts.barred().get(model)?.because
    if (barred !== undefined) return `it is set aside here (${barred}), and nobody else that can be reached carries it`
    const failure = this.#parts.failures.because(model, block)
    if (failure !== undefined) return `it is placed here and cannot be kept (${failure}); tried again`
    if (wasRefused) return REFUSED
    const unplaced = this.#parts.placement()?.unplaced.find(u => u.model === model && u.block === block)
    return unplaced?.because ?? 'no device that can be reached carries it yet'
  }

  #othersReports(): DeviceReport[] {
    const { view } = this.#parts
    return view.members().flatMap(state => {
      if (state.device === view.self) return []
      const report = this.#read(state)
      return report === undefined ? [] : [this.#labelled(deviceId(state.device), report)]
    })
  }

  /** Once for each state, though all of them are looked at whenever this device says something. */
  #read(state: DeviceState): DeviceReport | undefined {
    if (!this.#readStates.has(state))
      this.#readStates.set(state, deviceReportSchema.safeParse(parseJson(state.status)).data)
    return this.#readStates.get(state)
  }

  /** With a name that no other device here has: a device does not know of its namesakes. */
  #labelled(id: DeviceId, report: DeviceReport): DeviceReport {
    const name = this.#parts.view.nameOf(id)
    return { ...report, id, name, sources: report.sources.map(source => ({ ...source, device: name })) }
  }

  /** By which it is asked for too: blocks that are placed are so by each of its names. */
  #otherNames(model: ModelId): readonly string[] {
    const { view } = this.#parts
    return view.models.namesOf(model).filter(name => view.manifestNamed(name)?.id === model)
  }

  #placementReport(current: NumberedPlacement | undefined): ClusterStatus['placement'] {
    const { view } = this.#parts
    const nameOf = (id: ModelId): string => view.labelOf(id)
    const models: Record<string, Record<string, number[]>> = {}
    for (const [device, carried] of current?.placement ?? new Map<DeviceId, Map<ModelId, readonly number[]>>()) {
      for (const [model, numbers] of carried) {
        for (const name of new Set([nameOf(model), ...this.#otherNames(model)])) {
          models[name] ??= {}
          models[name][view.nameOf(device)] = [...numbers]
        }
      }
    }
    const unplaced = current?.unplaced.map(u => ({ model: nameOf(u.model), block: u.block, because: u.because })) ?? []
    return { epoch: current?.epoch ?? 0, ready: this.#needsNoPlacement() || this.#isPlaced(), models, unplaced }
  }
}

/** More of what is measured tells nobody anything, and all of it travels. */
const sixDigits = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value

const REFUSED = 'the devices on its way refuse it; it is tried again'

const looksOn = ({ role, memory }: DeviceReport): boolean => role === 'guest' && memory === 0

/** Without guests, and without their links to these. */
const devicesAmong = (reports: readonly DeviceReport[], guests: readonly DeviceReport[]): ClusterStatus['devices'] => {
  const names = new Set(guests.map(({ name }) => name))
  return reports
    .filter(report => !guests.includes(report))
    .map(({ sources: _, links, ...device }) => ({ ...device, links: links.filter(({ to }) => !names.has(to)) }))
}

/** Of all devices; each device's word. */
const auditsOf = (reports: readonly DeviceReport[]): ClusterStatus['audits'] => {
  const sum = (of: (audits: DeviceReport['audits']) => number): number =>
    reports.reduce((total, { audits }) => total + of(audits), 0)
  return {
    done: sum(({ agreed, deviated, undecided }) => agreed + deviated + undecided),
    deviations: sum(({ deviated, undecided }) => deviated + undecided),
    impossible: sum(({ impossible }) => impossible),
    setAside: reports.flatMap(({ name: by, audits }) => audits.setAside.map(one => ({ ...one, by })))
  }
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)

/** What others wrote, to be shown on terminals. */
const parseJson = (text: string): unknown => {
  try {
    return cleanTexts(parseBounded(text))
  } catch {
    return undefined
  }
}

/** It travels. */
const shorten = ({ provider, because }: BlockProvider): BlockProvider => ({ provider, because: because.slice(0, 500) })
