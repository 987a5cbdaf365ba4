import type { DeviceId, ModelId, SourceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'

/** For so long data of the model go to others, where there are any. */
export interface SetAside {
  readonly device: DeviceId
  readonly model: ModelId
  readonly until: Seconds
  readonly because: string
  /** It did not fail, but computes otherwise than others. */
  readonly isAudited?: true
}

/** After a refusal; each time twice as long, until a task is taken. */
const FIRST_PAUSE: Seconds = seconds(0.25)
const LONGEST_PAUSE: Seconds = seconds(5)
/** Whatever another device says. */
const LONGEST_SET_ASIDE: Seconds = seconds(600)
/** Of one device. */
const MOST_SET_ASIDE = 1000
/** So many members must say it, before one that has not seen it believes it, and before nothing is placed there. */
const WITNESSES = 2

/**
 * What devices say of themselves and is not believed at present: that they carry a block whose tasks they have just
 * refused, and that they can compute a model at which somebody has seen them fail. Changes only when it is told something
 * or the time (`expire`), so that whoever derives something from it knows when to look again.
 */
export class Distrust {
  /** By device, model and block. */
  readonly #refusals = new Map<string, { until: Seconds; pause: Seconds; active: boolean }>()
  /** By who says so. */
  readonly #setAside = new Map<DeviceId, readonly SetAside[]>()
  /** By source here: devices that have as many of its data as they are trusted with. */
  readonly #full = new Map<SourceId, ReadonlySet<DeviceId>>()
  readonly #self: DeviceId | undefined
  readonly #isWitness: (device: DeviceId) => boolean

  /**
   * @param self whose word counts alone, and against whom no other's does
   * @param isWitness whose word counts at all
   */
  constructor(self?: DeviceId, isWitness: (device: DeviceId) => boolean = () => true) {
    this.#self = self
    this.#isWitness = isWitness
  }

  /** It does not take what it says that it carries. */
  refused(device: DeviceId, model: ModelId, block: number, now: Seconds): void {
    const key = `${device} ${model} ${block}`
    const before = this.#refusals.get(key)
    if (before?.active === true) return // of several that were on their way, one counts
    const pause = before === undefined ? FIRST_PAUSE : seconds(Math.min(LONGEST_PAUSE, 2 * before.pause))
    this.#refusals.set(key, { until: seconds(now + pause), pause, active: true })
  }

  /** It took a task for the block: what was is forgotten. */
  taken(device: DeviceId, model: ModelId, block: number): void {
    const key = `${device} ${model} ${block}`
    if (this.#refusals.get(key)?.active === false) this.#refusals.delete(key)
  }

  /** What a source here has with devices has changed. @param full those that are to get no more of its data for now */
  fill(source: SourceId, full: ReadonlySet<DeviceId>): void {
    if (full.size === 0) this.#full.delete(source)
    else this.#full.set(source, full)
  }

  isFull(device: DeviceId): boolean {
    if (device === this.#self) return false
    for (const full of this.#full.values()) if (full.has(device)) return true
    return false
  }

  /** All that `by` has seen; what it said before is replaced. @returns whether that is another list of devices */
  hear(by: DeviceId, list: readonly SetAside[], now: Seconds): boolean {
    const most = seconds(now + LONGEST_SET_ASIDE)
    const credible = list
      .slice(0, MOST_SET_ASIDE)
      .filter(({ until }) => until > now)
      .map(one => (one.until > most ? { ...one, until: most } : one))
    const names = (of: readonly SetAside[]): string => of.map(({ device, model }) => `${device} ${model}`).join()
    const changes = names(credible) !== names(this.#setAside.get(by) ?? [])
    if (credible.length > 0) this.#setAside.set(by, credible)
    else this.#setAside.delete(by)
    return changes
  }

  isRefusing(device: DeviceId, model: ModelId, block: number): boolean {
    // Asked of every block of every device, whenever anything is heard.
    return this.#refusals.size > 0 && this.#refusals.get(`${device} ${model} ${block}`)?.active === true
  }

  isSetAside(device: DeviceId, model: ModelId): boolean {
    return this.#setAside.size > 0 && this.#believed(device, model) !== undefined
  }

  /** As far as this device has seen itself, whatever others say. */
  isSetAsideHere(device: DeviceId, model: ModelId): boolean {
    return this.#ownWord(device, model) !== undefined
  }

  /** Whether this device or any other member says so, but it itself: enough for another to plan, and for nothing else. */
  isSaidSetAside(device: DeviceId, model: ModelId): boolean {
    return [...this.#setAside].some(
      ([by, list]) =>
        by !== device && (by === this.#self || this.#isWitness(by)) && wordOf(list, device, model) !== undefined
    )
  }

  /** Two members or more, this one among them, say that it computes otherwise than others: on one's word alone no plan is made. */
  isOutOfPlans(device: DeviceId): boolean {
    let words = 0
    for (const [by, list] of this.#setAside) {
      const counts = by !== device && (by === this.#self || this.#isWitness(by))
      if (counts && list.some(one => one.device === device && one.isAudited)) words++
    }
    return words >= WITNESSES
  }

  /** What is believed of all that is said. */
  setAside(): readonly SetAside[] {
    const believed = [...this.#setAside.values()].flat().flatMap(one => this.#believed(one.device, one.model) ?? [])
    return [...new Set(believed)]
  }

  /** For as long as this device says so itself, or as enough others do. */
  #believed(device: DeviceId, model: ModelId): SetAside | undefined {
    const own = this.#ownWord(device, model)
    if (device === this.#self) return own
    const others: SetAside[] = []
    for (const [by, list] of this.#setAside) {
      const said = by === this.#self || !this.#isWitness(by) ? undefined : wordOf(list, device, model)
      if (said !== undefined) others.push(said)
    }
    const witnessed = others.toSorted((a, b) => b.until - a.until)[WITNESSES - 1]
    return own !== undefined && own.until >= (witnessed?.until ?? 0) ? own : witnessed
  }

  #ownWord(device: DeviceId, model: ModelId): SetAside | undefined {
    const own = this.#self === undefined ? undefined : this.#setAside.get(this.#self)
    return own === undefined ? undefined : wordOf(own, device, model)
  }

  /** Another process has taken its place: that it computed otherwise than others is said of it for as long as it was. */
  restarted(device: DeviceId): void {
    this.#drop(device, ({ isAudited }) => !isAudited)
  }

  /** It is gone for good. */
  forget(device: DeviceId): void {
    this.#drop(device, () => true)
  }

  #drop(device: DeviceId, isDropped: (word: SetAside) => boolean): void {
    for (const key of this.#refusals.keys()) if (key.startsWith(`${device} `)) this.#refusals.delete(key)
    for (const [by, list] of this.#setAside) {
      const others = by === device ? [] : list.filter(one => one.device !== device || !isDropped(one))
      if (others.length === 0) this.#setAside.delete(by)
      else this.#setAside.set(by, others)
    }
  }

  /** To be called often. @returns whether something is believed again */
  expire(now: Seconds): boolean {
    let changes = false
    for (const refusal of this.#refusals.values()) {
      if (!refusal.active || refusal.until > now) continue
      refusal.active = false
      changes = true
    }
    for (const [by, list] of this.#setAside) {
      const left = list.filter(({ until }) => until > now)
      if (left.length === list.length) continue
      changes = true
      if (left.length === 0) this.#setAside.delete(by)
      else this.#setAside.set(by, left)
    }
    return changes
  }
}

const wordOf = (list: readonly SetAside[], device: DeviceId, model: ModelId): SetAside | undefined =>
  list.find(one => one.device === device && one.model === model)
