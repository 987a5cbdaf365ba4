import { type AdmissionTerms, PATIENT_TERMS } from '../core/admission-terms.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Bytes, type Seconds, seconds } from '../core/units.ts'
import type { Window } from '../core/window.ts'
import type { World } from '../core/world.ts'
import { BacklogSign } from '../scheduler/backlog-sign.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import { AutoWindow } from './auto-window.ts'
import { type Dispatch, Ledger } from './ledger.ts'
import { PeerCredit } from './peer-credit.ts'
import { ResendTimer } from './resend-timer.ts'
import { WindowStretch } from './window-stretch.ts'

export interface SourceBookParts {
  /** The device of the source. */
  readonly self: DeviceId
  readonly now: () => Seconds
  /** How many data may be in flight at once; auto: as few as keep its throughput. */
  readonly window: Window
  /** Whether data under way have a deadline, at which they are cancelled. Default: no. */
  readonly terms?: Pick<AdmissionTerms, 'deadline' | 'late'>
  /** What all automatic windows of the cluster are stretched by, as this device knows it. Default: this source is alone. */
  readonly stretch?: WindowStretch
  /** Another datum that a device had last did not come back in time, and younger ones did. Default: nobody minds. */
  readonly unreturned?: (device: DeviceId, inARow: number) => void
}

/** A device that has had data for so long and has returned none is told of. */
const SILENT: Seconds = seconds(10)
/** After a datum was let go: before it is sent again, each time twice as long. */
const FIRST_PAUSE: Seconds = seconds(0.25)
const LONGEST_PAUSE: Seconds = seconds(5)
/** Refusals in a row after which another device's datum is let go; by then it has rested for seconds. */
const STRANDED = 10

/** What a task is on every device but its source's: the source alone knows how far behind it is, and each device counts for itself. */
export const ON_ARRIVAL = { isBacklogged: false, turn: 0 } as const

/** A datum of another device that is refused again and again is let go: it waits at its source, which knows who can serve it. */
export const isStranded = (
  { refusals, home }: { readonly refusals: number; readonly home: number },
  self: number
): boolean => refusals >= STRANDED && home !== self

/**
 * How long a datum may take for all that is known before anything was measured: a whole window may have to pass through the
 * slowest device, and over the slowest link, before it.
 * @param work of all blocks, at speed 1
 * @param largest of the activations
 */
export const longestExpected = (
  { devices, links }: World,
  window: number,
  { work, largest }: { readonly work: Seconds; readonly largest: Bytes }
): Seconds => {
  const slowest = devices.reduce((least, { up, speed }) => (up ? Math.min(least, speed) : least), 1)
  const transfers = links.flat().map(({ up, rate, latency }) => (up && rate > 0 ? largest / rate + latency : 0))
  return seconds(2 * window * (work / slowest + transfers.reduce((most, time) => Math.max(most, time), 0)))
}

/**
 * What a source admits, and what becomes of it: its ledger, when data of which nothing is heard go out again, and whether
 * it has more than the network takes. Says which data are to be sent again; does not send. The source of a running device and
 * of a simulated one keep the same.
 */
export class SourceBook {
  readonly ledger: Ledger
  readonly #parts: SourceBookParts
  readonly #backlog: BacklogSign
  #auto: AutoWindow | undefined
  readonly #stretch: WindowStretch
  #timer = new ResendTimer()
  readonly #credit = new PeerCredit()
  /** Data that this device is to compute a part of, where their source has said so. */
  readonly #here = new Set<number>()
  /** How far a datum is known to have come in its attempt, and where it has been. */
  readonly #progress = new Map<number, { done: number; readonly devices: DeviceId[] }>()
  /** How often a device let it go because it could not get it any further. */
  readonly #letGo = new Map<number, number>()
  /** Of data that are cancelled at their deadline. */
  readonly #deadlines = new Map<number, number>()

  constructor(parts: SourceBookParts) {
    this.#parts = parts
    this.#stretch = parts.stretch ?? new WindowStretch(parts)
    this.#auto = this.#newAuto()
    const window = this.#autoSize() ?? (parts.window as number)
    this.ledger = new Ledger({ window })
    this.#backlog = new BacklogSign(window)
  }

  /** A datum that begins now takes so long at most, by those of late; 0 while nothing is known. */
  get expects(): Seconds {
    return this.#timer.usual
  }

  get isBacklogged(): boolean {
    return this.#backlog.isBacklogged
  }

  get window(): number {
    return this.ledger.window
  }

  /** The network is slower than the source, and data of it are under way. */
  get isFlowing(): boolean {
    return this.isBacklogged && this.ledger.underWay > 0
  }

  /**
   * @param waitedForIt the source had to wait for its datum, not for room
   * @param availableAt since when it is there. Default: now
   * @throws InvariantError as the ledger
   */
  admit(datum: number, waitedForIt: boolean, availableAt = this.#parts.now()): void {
    this.ledger.admit(datum)
    this.#backlog.admitted(this.ledger.room, waitedForIt)
    const { deadline, late } = this.#parts.terms ?? PATIENT_TERMS
    if (late === 'cancel' && deadline < Number.POSITIVE_INFINITY) this.#deadlines.set(datum, availableAt + deadline)
  }

  /** The next deadline of a datum that is cancelled at it; undefined: none is. */
  get nextDeadline(): Seconds | undefined {
    return this.#deadlines.size === 0 ? undefined : seconds(Math.min(...this.#deadlines.values()))
  }

  /** Called at `nextDeadline`, or often. @returns data without a result whose deadline has come: dropped, to be written and cancelled */
  tooLate(): readonly number[] {
    const now = this.#parts.now()
    const late = [...this.#deadlines].flatMap(([datum, due]) => (due <= now ? [datum] : []))
    for (const datum of late) {
      this.#timer.gaveUp(datum, now)
      this.#forget(datum)
    }
    return late.filter(datum => this.ledger.drop(datum))
  }

  /** It goes out; until somebody else says so, this device has it. @returns as the ledger */
  dispatched(datum: number): number | undefined {
    const attempt = this.ledger.dispatched(datum)
    if (attempt === undefined) return undefined
    this.#timer.sent(datum, attempt, this.#parts.now())
    this.#credit.forget(datum)
    this.#here.delete(datum)
    this.#progress.delete(datum)
    this.ledger.custody({ datum, attempt }, this.#parts.self)
    return attempt
  }

  /** It is being sent to `device`, which may say so itself or not. */
  given(dispatch: Dispatch, device: DeviceId): void {
    if (this.#isCurrent(dispatch)) this.#credit.given(dispatch.datum, device, this.#parts.now())
  }

  /** `device` did not take it. */
  notTaken(dispatch: Dispatch): void {
    if (this.#isCurrent(dispatch)) this.#credit.forget(dispatch.datum)
  }

  /** `device` has it now. @param done how far it has come: who says the same again gets no more time for it */
  custody(dispatch: Dispatch, device: DeviceId, done = 0): void {
    this.ledger.custody(dispatch, device)
    if (!this.#isCurrent(dispatch)) return
    this.given(dispatch, device)
    if (this.#advances(dispatch.datum, device, done)) this.#timer.heard(dispatch.datum, this.#parts.now())
  }

  #isCurrent({ datum, attempt }: Dispatch): boolean {
    return this.ledger.holders(datum).size > 0 && this.ledger.attempts(datum) === attempt
  }

  #advances(datum: number, device: DeviceId, done: number): boolean {
    const known = this.#progress.get(datum)
    if (known === undefined) {
      this.#progress.set(datum, { done, devices: [device] })
      return true
    }
    const wasThere = known.devices.includes(device)
    if (done <= known.done && wasThere) return false
    known.done = Math.max(known.done, done)
    if (!wasThere) known.devices.push(device)
    return true
  }

  /** It goes out on a way that its source has chosen: whom it is to come to. */
  goes(datum: number, devices: readonly DeviceId[]): void {
    const { self } = this.#parts
    this.#credit.planned(
      datum,
      devices.filter(device => device !== self)
    )
    if (devices.includes(self)) this.#here.add(datum)
  }

  /** Its last data were late, and that is not long ago. */
  isShunned(device: DeviceId): boolean {
    return this.#credit.isShunned(device, this.#parts.now())
  }

  /** It has returned something, and all of late. */
  isProven(device: DeviceId): boolean {
    return this.#credit.isProven(device)
  }

  /** Data that a device has or that are on their way to it. */
  with(device: DeviceId): number {
    return device === this.#parts.self ? this.#here.size : this.#credit.with(device)
  }

  /** Devices that have as many data of this source as they are trusted with. */
  full(): ReadonlySet<DeviceId> {
    return this.#credit.full(this.window, this.#parts.now())
  }

  /** Devices whose last data did not come back in time, with how many in a row. */
  silent(): ReadonlyMap<DeviceId, number> {
    return this.#credit.silent()
  }

  /**
   * `device` had it when it was lost, or cannot get it any further and has let it go.
   * @returns how long it waits before it is sent again; undefined: that is old news
   */
  lost(dispatch: Dispatch, device: DeviceId, how?: 'letGo'): Seconds | undefined {
    if (!this.ledger.lost(dispatch, device)) return undefined
    this.#credit.forget(dispatch.datum)
    if (how !== 'letGo') return seconds(0)
    // Whoever lets it go has been refused for seconds: going round at once would only repeat that.
    const times = this.#letGo.get(dispatch.datum) ?? 0
    this.#letGo.set(dispatch.datum, times + 1)
    return seconds(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** times))
  }

  /** It came home, as a task that was served for so long. @returns as the ledger: only the first counts */
  result({ datum, attempt, served }: Dispatch & Pick<LiveTask, 'served'>): 'first' | 'duplicate' | 'stranger' {
    const took = this.#timer.result(datum, attempt, this.#parts.now())
    this.#credit.returned(datum, took, this.#parts.now())
    const { underWay } = this.ledger
    const result = this.ledger.result(datum)
    if (result !== 'first') return result
    this.#forget(datum)
    const flows = this.#auto !== undefined && took !== undefined && this.isBacklogged
    if (flows) this.#stretch.completed(this)
    else this.#stretch.counted()
    // Who asks for the next when it has the last never fills a window that is larger than what it asks for at once.
    if (took !== undefined && (flows || underWay > this.window / 2)) this.#auto?.completed({ took, served, underWay })
    if (this.#auto !== undefined) this.#resize(this.#autoSize()!)
    return result
  }

  /** It is given up, or owed no more in this run: it is not waited for. */
  forget(datum: number): void {
    this.#timer.forget(datum)
    this.#forget(datum)
  }

  #forget(datum: number): void {
    this.#credit.forget(datum)
    this.#here.delete(datum)
    this.#progress.delete(datum)
    this.#letGo.delete(datum)
    this.#deadlines.delete(datum)
  }

  /** Another model is served: what the one before took says nothing of this one. */
  beginAnew(): void {
    this.#timer = new ResendTimer()
    this.#auto = this.#newAuto()
    const window = this.#autoSize()
    if (window !== undefined) this.#resize(window)
  }

  #newAuto(): AutoWindow | undefined {
    const { window, terms = PATIENT_TERMS } = this.#parts
    return window === 'auto' ? new AutoWindow(terms) : undefined
  }

  /** Undefined: the window is a given one. */
  #autoSize(): number | undefined {
    return this.#auto?.size(this.#stretch.factor)
  }

  #resize(window: number): void {
    this.ledger.window = window
    this.#backlog.window = window
  }

  /**
   * Called often.
   * @param expected how long a datum may take, for as long as nothing was measured
   * @param isQueuedHere whether it waits in a queue of this device: whatever it waits for, it is not lost
   * @returns data of which nothing was heard for too long: to be sent again
   */
  overdue(expected: Seconds, isQueuedHere: (datum: number) => boolean): readonly number[] {
    const { ledger } = this
    const isHere = (datum: number): boolean => ledger.holders(datum).size === 0 || isQueuedHere(datum)
    return this.#timer.overdue(this.#parts.now(), expected, isHere).filter(datum => {
      const isToGo = ledger.cameBack({ datum, attempt: ledger.attempts(datum) })
      const late = isToGo ? this.#credit.late(datum, this.#parts.now()) : undefined
      if (late !== undefined && late.silentFor > SILENT) this.#parts.unreturned?.(late.device, late.inARow)
      return isToGo
    })
  }
}
