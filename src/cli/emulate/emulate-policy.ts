import { readFile } from 'node:fs/promises'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import type { Scenario, ScenarioEvent } from '../../core/scenario.ts'
import { timeSummary } from '../../core/time-summary.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { lateness } from '../../report/lateness.ts'
import type { EncodingReport, PolicyRun } from '../../report/run-report.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { isFailed, isNoItem, isResult, sinkEntrySchema } from '../../runtime/ports/sink-entry.ts'
import { ClusterFeed } from '../demo/cluster-feed.ts'
import type { NodeEvent } from '../demo/device-process.ts'
import { duringEvents } from './during-events.ts'
import { EmulatedCluster, type EmulatedModel } from './emulated-cluster.ts'
import type { Footing } from './footing.ts'
import { isDroppedByTerms } from './is-dropped-by-terms.ts'
import { PortableFooting } from './portable-footing.ts'
import { RunCounters } from './run-counters.ts'
import { RunPatience } from './run-patience.ts'

export interface EmulatePolicyParts {
  readonly scenario: Scenario
  readonly models: readonly EmulatedModel[]
  readonly policy: string
  readonly seed: number
  readonly folder: string
  /** Devices leave what they did in files of this folder. */
  readonly isTraced: boolean
  /** The run takes more than some minutes. @default false */
  readonly livesLong?: boolean | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  /** False: costs, rates and placement stay as they are when the run begins. */
  readonly adapts: boolean
  /** How activations travel between the devices. */
  readonly activationEncoding: EncodingChoice
  /** Default: the one that works everywhere. Whoever gives one disposes of it. */
  readonly footing?: Footing | undefined
  readonly progress: (text: string) => void
}

export interface EmulatedRun {
  readonly run: PolicyRun
  /** When the run began, on the given clock. */
  readonly startedAt: Seconds
  /** Block numbers by model and device, as the cluster had placed them when the run began. */
  readonly placement: ClusterStatus['placement']['models']
  readonly inferenceTimes: readonly (readonly number[])[]
  /** What came back for each datum, by source and datum. */
  readonly results: ReadonlyMap<string, string>
  /** Numbers of the sources of which some data never came home, and were not dropped by their terms. */
  readonly missing: readonly number[]
  /** How activations travelled on each link at the end. */
  readonly encodings: EncodingReport['links']
}

/** Devices say their status every second. */
const STATUS_AGE: Seconds = seconds(1.2)

/** One policy on real processes: emulated speeds and links, real tensors through real blocks. */
export const emulatePolicy = async (parts: EmulatePolicyParts): Promise<EmulatedRun> => {
  const { scenario, clock, footing } = parts
  if (footing !== undefined) return runOn(parts, footing)
  await using portable = await PortableFooting.open(scenario, clock)
  return await runOn(parts, portable)
}

const runOn = async (parts: EmulatePolicyParts, footing: Footing): Promise<EmulatedRun> => {
  const { scenario, clock, signal } = parts
  const watch = new RunWatch(parts, new ClusterFeed())
  await using cluster = new EmulatedCluster({
    ...parts,
    footing,
    onEvent: (device, event) => watch.heard(device, event)
  })
  await cluster.start(absentAtFirst(scenario.events))
  // Each device's latest status is then one of after it had loaded its blocks.
  await clock.sleep(STATUS_AGE, { signal })
  cluster.begin()
  watch.begin()
  const whole = (over: AbortSignal): Promise<void> =>
    Promise.race([watch.done(n => cluster.isThere(n), over), cluster.failure()])
  await duringEvents({ cluster, scenario, clock, signal }, whole)
  await cluster[Symbol.asyncDispose]() // each device says its final status on its way out
  return watch.result()
}

const absentAtFirst = (events: readonly ScenarioEvent[]): ReadonlySet<number> => {
  const first = new Map<number, string>()
  for (const event of events)
    if ((event.kind === 'leaves' || event.kind === 'joins') && !first.has(event.device))
      first.set(event.device, event.kind)
  return new Set([...first].flatMap(([device, kind]) => (kind === 'joins' ? [device] : [])))
}

/** Follows a run: who is done, how far it is, what came of it. */
class RunWatch {
  readonly #parts: EmulatePolicyParts
  readonly #feed: ClusterFeed
  /** By source. Who starts anew admits first what was not home, so the most that any process said is all. */
  readonly #admitted = new Map<string, number>()
  /** Devices that were not there at the end. */
  #gone: ReadonlySet<number> = new Set()
  #placement: ClusterStatus['placement']['models'] = {}
  #placementAtStart: ClusterStatus['placement']['models'] = {}
  #startedAt = seconds(0)
  #toldAt = 0
  readonly #counters = new RunCounters()
  readonly #patience: RunPatience

  constructor(parts: EmulatePolicyParts, feed: ClusterFeed) {
    this.#parts = parts
    this.#feed = feed
    this.#patience = new RunPatience(parts.scenario)
  }

  heard(device: number, event: NodeEvent): void {
    const { scenario, clock } = this.#parts
    if (event.event === 'done') this.#patience.done(device, clock.now())
    const { name } = scenario.devices[device]!
    this.#feed.take(name, event)
    const status = event['status'] as ClusterStatus | undefined
    if (status === undefined) return
    this.#count(name)
    for (const source of status.sources)
      if (source.device === name)
        this.#admitted.set(source.name, Math.max(source.admitted, this.#admitted.get(source.name) ?? 0))
    this.#patience.heard(name, status, clock.now())
    if (Object.keys(status.placement.models).length > 0) this.#placement = status.placement.models
    this.#tell()
  }

  begin(): void {
    this.#placementAtStart = this.#placement
    this.#startedAt = this.#parts.clock.now()
    this.#patience.begin(this.#startedAt)
    this.#counters.begin()
  }

  #count(device: string): void {
    const part = this.#feed.device(device)
    if (part === undefined) return
    this.#counters.note(`busy ${device}`, part.busySeconds)
    this.#counters.note(`late ${device}`, part.lateSeconds)
    this.#counters.note(`tasks ${device}`, part.tasks)
    this.#counters.note(`tick lateness ${device}`, part.tickLateness)
    this.#counters.note(`ticks ${device}`, part.ticks)
    this.#counters.note(`fetched ${device}`, part.weightsFetched)
    for (const { to, bytesSent, busySeconds } of part.links) {
      this.#counters.note(`bytes ${device} ${to}`, bytesSent)
      this.#counters.note(`sending ${device} ${to}`, busySeconds)
    }
  }

  /** Resolves when every source has all its results, or nothing more is to come. */
  async done(isThere: (device: number) => boolean, signal: AbortSignal): Promise<void> {
    const { scenario, clock } = this.#parts
    while (!this.#patience.isOver(clock.now(), isThere)) await clock.sleep(seconds(0.02), { signal })
    this.#gone = new Set([...scenario.devices.keys()].filter(n => !isThere(n)))
  }

  async result(): Promise<EmulatedRun> {
    const { scenario, folder, policy, seed, progress } = this.#parts
    const makespan = this.#patience.lastResultAt - this.#startedAt
    const per = (amount: number): number => (makespan > 0 ? amount / makespan : 0)
    const entries = await Promise.all(
      scenario.sources.map(({ name, device }) => entriesOf(folder, scenario.devices[device]!.name, name))
    )
    const lines = entries.map(all => all.filter(isResult))
    const completed = lines.map(results => results.length)
    const noItems = entries.map(all => all.filter(isNoItem).length)
    for (const [s, { name }] of scenario.sources.entries())
      if (noItems[s]! > 0) progress(`${name}: ${noItems[s]} of its files have failed, as they are no items`)
    const failed = entries.map(all => all.filter(isFailed).filter(entry => !isNoItem(entry)))
    const dropped = entries.map(
      (all, s) => all.filter(entry => isDroppedByTerms(entry, scenario.sources[s]!.terms)).length
    )
    const missing = [...scenario.sources.keys()].filter(
      s => completed[s]! + noItems[s]! + dropped[s]! < scenario.sources[s]!.count
    )
    const because = missing.map(s => {
      const { name, count, device } = scenario.sources[s]!
      const absent = count - completed[s]! - noItems[s]! - dropped[s]! - failed[s]!.length
      const parts = absent > 0 ? [`${absent} of ${count} never came home${this.#whyMissing(device)}`] : []
      const [first] = failed[s]!
      if (first !== undefined) parts.push(`${failed[s]!.length} of ${count} failed, the first with: ${first.cause}`)
      return `${name}: ${parts.join('; ')}`
    })
    return {
      startedAt: this.#startedAt,
      placement: Object.keys(this.#placementAtStart).length > 0 ? this.#placementAtStart : this.#placement,
      inferenceTimes: lines.map(results => results.map(r => r.inferenceTime)),
      encodings: scenario.links.flatMap(link => {
        const [from, to] = [scenario.devices[link.from]!.name, scenario.devices[link.to]!.name]
        const known = this.#feed.device(from)?.links.find(({ to: other }) => other === to)
        return known === undefined ? [] : [{ from, to, encoding: known.encoding }]
      }),
      results: new Map(lines.flat().map(({ source, datum, result }) => [`${source} ${datum}`, JSON.stringify(result)])),
      missing,
      run: {
        policy,
        seed,
        emulated: true,
        disturbance: this.#disturbance(),
        processorLateness: this.#processorLateness(),
        weightsMoved: this.#sum('fetched'),
        makespan,
        throughput: per(completed.reduce((a, b) => a + b, 0)),
        sources: scenario.sources.map(({ name, terms }, s) => {
          const times = lines[s]!.map(r => r.inferenceTime)
          // An item that is none has its outcome, and never was a datum.
          const came = (this.#admitted.get(name) ?? 0) - noItems[s]!
          const admitted = Math.max(came, completed[s]! + dropped[s]!)
          return {
            name,
            admitted,
            completed: completed[s]!,
            dropped: dropped[s]!,
            lost: admitted - completed[s]! - dropped[s]!,
            ...lateness(terms, times),
            rate: per(completed[s]!),
            inferenceTime: timeSummary(times)
          }
        }),
        devices: scenario.devices.map(({ name }, n) => {
          const carried = this.#gone.has(n) ? [] : Object.values(this.#feed.device(name)?.models ?? {})
          const resident = carried.reduce((sum, { residentBytes }) => sum + residentBytes, 0)
          return {
            name,
            busy: Math.min(1, per(this.#counters.get(`busy ${name}`))),
            tasks: this.#counters.get(`tasks ${name}`),
            residentBytes: resident
          }
        }),
        links: scenario.links.map(({ from, to }) => {
          const [a, b] = [scenario.devices[from]!.name, scenario.devices[to]!.name]
          const bytes = this.#counters.get(`bytes ${a} ${b}`)
          return { from: a, to: b, bytes, busy: Math.min(1, per(this.#counters.get(`sending ${a} ${b}`))) }
        }),
        ...(missing.length === 0 ? {} : { because: because.join('; ') })
      }
    }
  }

  #disturbance(): number {
    const late = this.#sum('late')
    const asked = this.#sum('busy') - late
    return asked > 0 ? late / asked : 0
  }

  /** Of the device that waited longest for a processor whenever it had something to do. */
  #processorLateness(): number {
    const each = this.#parts.scenario.devices.map(({ name }) => {
      const ticks = this.#counters.get(`ticks ${name}`)
      return ticks > 0 ? this.#counters.get(`tick lateness ${name}`) / ticks : 0
    })
    return Math.max(0, ...each)
  }

  #sum(counter: string): number {
    return this.#parts.scenario.devices.reduce((all, { name }) => all + this.#counters.get(`${counter} ${name}`), 0)
  }

  #whyMissing(device: number): string {
    const { name: home } = this.#parts.scenario.devices[device]!
    if (this.#gone.has(device)) return ` (${home} left and did not come back)`
    const reasons = this.#parts.scenario.devices.flatMap(
      ({ name }) => this.#feed.device(name)?.waiting.map(({ because }) => because) ?? []
    )
    return reasons.length === 0 ? '' : ` (${[...new Set(reasons)].join('; ')})`
  }

  /** Every second or so. */
  #tell(): void {
    const { clock, scenario, policy, progress } = this.#parts
    if (this.#startedAt === 0 || clock.now() - this.#toldAt < 2) return
    this.#toldAt = clock.now()
    const parts = scenario.sources.map(({ name, count }) => {
      const done = this.#feed.sources().find(source => source.name === name)?.completed ?? 0
      return `${name} ${done}/${count}`
    })
    progress(`  ${policy} ${(clock.now() - this.#startedAt).toFixed(0)} s: ${parts.join(', ')}`)
  }
}

/** What the sink holds of a source: results, what has failed, what was dropped. */
const entriesOf = async (folder: string, device: string, source: string) => {
  const text = await readFile(EmulatedCluster.sinkOf(folder, device), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(line => line !== '')
    .flatMap(line => {
      const entry = sinkEntrySchema.parse(JSON.parse(line))
      return entry.source === `${source}@${device}` ? [entry] : []
    })
}
