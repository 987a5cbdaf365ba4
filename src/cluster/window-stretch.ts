import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Flow } from '../scheduler/policy.ts'
import { StretchTrials } from './stretch-trials.ts'

/** A source of this device whose window finds its measure. */
export interface StretchedSource {
  /** The network is slower than it, and data of it are under way. */
  readonly isFlowing: boolean
  /** Its window. */
  readonly window: number
}

export interface WindowStretchParts {
  readonly self: DeviceId
  readonly now: () => Seconds
}

/** Results, in windows of all sources, that pass before what came of a change is seen; more at the start. */
const SETTLES = 1
const SETTLES_FIRST = 4
/** Results that are measured: those of so many windows of all sources, and at least so many. */
const MEASURED = { windows: 5, least: 64 }
/** Of these, before a trial is given up. */
const PART = 0.4
/** Reports of each other device within a measure: what it told last is a little old. */
const REPORTS = 3
/** Who told nothing for so long has ended. */
const STALE: Seconds = seconds(2)

interface Heard extends Flow {
  readonly at: Seconds
  /** Reports so far. */
  readonly reports: number
}

/** Where a measure began. */
interface Mark {
  readonly at: Seconds
  readonly results: number
  readonly sources: number
  readonly heard: ReadonlyMap<DeviceId, Heard>
}

/**
 * What the windows of all saturated sources are multiplied by, those of one device by one device. Throughput may stay level
 * over a range of windows and rise beyond it, since the policy takes other paths where queues are longer; a source cannot see
 * that by itself, nor whether what it gains is another's loss. So all stretch their windows alike. One device tries:
 * the first by name of those with such sources. It counts the results of all, which devices tell with their reports, and the others follow it.
 */
export class WindowStretch {
  readonly #parts: WindowStretchParts
  #followed = 1
  #sources = new Set<StretchedSource>()
  #results = 0
  #countedAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  readonly #heard = new Map<DeviceId, Heard>()
  /** While this device tries. */
  #trials: StretchTrials | undefined
  #mark: Mark | undefined
  #isSettling = true
  #settles = SETTLES_FIRST

  constructor(parts: WindowStretchParts) {
    this.#parts = parts
  }

  /** What a window that a source found for itself is to be multiplied by. */
  get factor(): number {
    return this.#trials?.stretch ?? this.#followed
  }

  /** A result came home, while the network was slower than its source. */
  completed(source: StretchedSource): void {
    this.#sources.add(source)
    this.counted()
    if (this.#leads()) this.#try()
    else this.#trials = undefined
  }

  /** A result came home of any other source: what is taken from it is no gain. */
  counted(): void {
    this.#results++
    this.#countedAt = this.#parts.now()
  }

  /** For the other devices. @returns undefined while no source of this device flows, and no result comes home */
  told(): Flow | undefined {
    for (const source of this.#sources) if (!source.isFlowing) this.#sources.delete(source)
    if (this.#sources.size === 0) this.#forget()
    if (this.#parts.now() - this.#countedAt > STALE) return undefined
    return { window: this.#ownWindow(), results: this.#results, stretch: this.factor }
  }

  /** What was found for sources that have gone says nothing of those that will come. */
  #forget(): void {
    this.#trials = undefined
    if (this.#others().length === 0) this.#followed = 1
  }

  /** With each report of another device. @param flow undefined: none of its sources flows, and nothing comes home to it */
  heard(from: DeviceId, flow: Flow | undefined): void {
    if (flow === undefined) {
      this.#heard.delete(from)
      return
    }
    const before = this.#heard.get(from)
    if (before !== undefined && flow.results < before.results) this.#mark = undefined // it has begun anew
    this.#heard.set(from, { ...flow, at: this.#parts.now(), reports: (before?.reports ?? 0) + 1 })
    if (flow.window > 0 && from < this.#parts.self && this.#others().every(id => from <= id))
      this.#followed = flow.stretch
  }

  /** That have sources that flow. */
  #others(): DeviceId[] {
    const now = this.#parts.now()
    for (const [id, { at }] of this.#heard) if (now - at > STALE) this.#heard.delete(id)
    return flowing(this.#heard)
  }

  #leads(): boolean {
    return this.#others().every(id => this.#parts.self < id)
  }

  #ownWindow(): number {
    let sum = 0
    for (const { window } of this.#sources) sum += window
    return sum
  }

  #windows(): number {
    let sum = this.#ownWindow()
    for (const { window } of this.#heard.values()) sum += window
    return sum
  }

  #try(): void {
    if (this.#trials === undefined) {
      this.#trials = new StretchTrials(this.#followed)
      this.#settle(SETTLES_FIRST)
    }
    if (this.#mark === undefined || !this.#isSameCompany(this.#mark)) this.#settle(this.#settles)
    const mark = this.#mark!
    if (this.#isSettling) {
      if (!this.#everybodyFollows()) this.#settle(this.#settles)
      else if (this.#since(mark) >= this.#settles * this.#windows()) this.#measure()
      return
    }
    const wanted = Math.max(MEASURED.least, MEASURED.windows * this.#windows())
    const share = this.#since(mark) / wanted
    if (share < PART || !this.#hasHeardEnough(mark)) return
    const rate = this.#rate(mark)
    if (share >= 1 || this.#trials.isHopeless(rate)) this.#judge(this.#trials, rate)
  }

  #judge(trials: StretchTrials, rate: number): void {
    const before = trials.stretch
    trials.measured(rate)
    this.#followed = trials.stretch
    if (trials.stretch === before) this.#measure()
    else this.#settle(SETTLES)
  }

  #settle(windows: number): void {
    this.#isSettling = true
    this.#settles = windows
    this.#mark = this.#markNow()
  }

  #measure(): void {
    this.#isSettling = false
    this.#mark = this.#markNow()
  }

  #markNow(): Mark {
    return {
      at: this.#parts.now(),
      results: this.#results,
      sources: this.#sources.size,
      heard: new Map(this.#heard)
    }
  }

  /** Who comes or goes changes what there is to share. */
  #isSameCompany({ sources, heard }: Mark): boolean {
    return sources === this.#sources.size && flowing(heard).sort().join(' ') === flowing(this.#heard).sort().join(' ')
  }

  #everybodyFollows(): boolean {
    return [...this.#heard.values()].every(({ window, stretch }) => window === 0 || stretch === this.factor)
  }

  #hasHeardEnough({ heard }: Mark): boolean {
    return flowing(heard).every(id => (this.#heard.get(id)?.reports ?? 0) >= heard.get(id)!.reports + REPORTS)
  }

  /** Results of all since then. */
  #since({ results, heard }: Mark): number {
    let sum = this.#results - results
    for (const [id, now] of this.#heard) sum += now.results - (heard.get(id) ?? now).results
    return sum
  }

  /** Results of all a second: of each by its own count and its own time, since what is told is of a moment ago. */
  #rate({ at, results, heard }: Mark): number {
    let sum = (this.#results - results) / (this.#parts.now() - at)
    for (const [id, now] of this.#heard) {
      const then = heard.get(id)
      if (then !== undefined && now.at > then.at) sum += (now.results - then.results) / (now.at - then.at)
    }
    return sum
  }
}

const flowing = (heard: ReadonlyMap<DeviceId, Heard>): DeviceId[] =>
  [...heard].flatMap(([id, { window }]) => (window > 0 ? [id] : []))
