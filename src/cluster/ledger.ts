import type { DeviceId } from '../core/ids.ts'
import { InvariantError } from '../core/invariant-error.ts'
import { NumberRanges } from '../core/number-ranges.ts'

/** Causes of failures that are kept. */
const MOST_CAUSES = 1000

/** Which dispatch of which datum: a message about an earlier dispatch is old news. */
export interface Dispatch {
  readonly datum: number
  readonly attempt: number
}

export interface LedgerOptions {
  /** How many data may be without a result at once, at least 1; as many more may wait for the sink. */
  readonly window: number
  /** Data whose results are in the sink already, from an earlier run. */
  readonly done?: ReadonlySet<number>
}

export interface LedgerCounts {
  /** = done + outstanding + failed + dropped + abandoned. Of this run only. */
  readonly admitted: number
  /** Results in the sink. */
  readonly done: number
  /** Admitted, and without a line in the sink. */
  readonly outstanding: number
  /** Given up, and that is in the sink. */
  readonly failed: number
  /** Dropped by a rule of admission, and that is in the sink. */
  readonly dropped: number
  /** Let go for now, without a line in the sink. */
  readonly abandoned: number
  /** Dispatches beyond the first of their datum. */
  readonly resent: number
  /** Results that came a second time and were dropped. */
  readonly duplicates: number
}

type Entry = { attempt: number } & State

type State =
  | { readonly kind: 'toSend' }
  | {
      readonly kind: 'inFlight'
      /** Who had it last, as far as is known; undefined until somebody says so. */
      custodian: DeviceId | undefined
      /** Everybody who had it in this dispatch. */
      readonly holders: Set<DeviceId>
    }
  /** A result, or that there is none and why. */
  | { readonly kind: 'toWrite'; readonly ends: 'done' | 'dropped' | { readonly failed: string } }

const checked = (window: number): number => {
  if (Number.isInteger(window) && window > 0) return window
  throw new RangeError(`window must be at least 1, got ${window}`)
}

/**
 * What a source owes: every admitted datum until its result, or why it has none, is in the sink. Pure.
 *
 *   admit ─▶ toSend ── dispatched ──▶ inFlight ── result ──▶ toWrite ── written ──▶ done
 *               ▲                          │                      ▲
 *               └──── lost, cameBack ──────┤                      │
 *                                          └─ fail, drop ─────────┘
 *
 * `admit` when there is `room`; then `dispatched` for it and for every datum that one of `lost`, `deviceLost` and `cameBack`
 * gives back. Of all results of a datum the first counts, whichever dispatch it belongs to; after `fail` or `drop` none does.
 */
export class Ledger {
  #window: number
  readonly #entries = new Map<number, Entry>()
  readonly #doneBefore: ReadonlySet<number>
  /** Data that have an outcome for good. */
  readonly #ended = new NumberRanges()
  readonly #counts = { done: 0, failed: 0, dropped: 0 }
  /** Of those that failed last. */
  readonly #causes = new Map<number, string>()
  readonly #abandoned = new Set<number>()
  #toWrite = 0
  #resent = 0
  #duplicates = 0

  constructor({ window, done = new Set() }: LedgerOptions) {
    this.#window = checked(window)
    this.#doneBefore = done
  }

  get window(): number {
    return this.#window
  }

  /** Where more are under way than may be now, there is no room until enough are home. */
  set window(window: number) {
    this.#window = checked(window)
  }

  /**
   * How many more may be admitted now. A result at home makes room before it is on the disk, which takes as long as a disk
   * takes, until a window of them waits.
   */
  get room(): number {
    return Math.max(0, Math.min(this.#window - this.underWay, 2 * this.#window - this.#outstanding))
  }

  /** Data without a result. */
  get underWay(): number {
    return this.#outstanding - this.#toWrite
  }

  /** @throws InvariantError when there is no room, or the datum is known */
  admit(datum: number): void {
    if (this.room === 0) throw new InvariantError(`datum ${datum}: the window of ${this.#window} is full`)
    if (this.#isDone(datum) || this.#entries.has(datum)) throw new InvariantError(`datum ${datum} was admitted before`)
    this.#abandoned.delete(datum)
    this.#entries.set(datum, { kind: 'toSend', attempt: 0 })
  }

  /** Admitted or given back, and not dispatched since; oldest admission first. */
  toSend(): readonly number[] {
    return this.#select(entry => entry.kind === 'toSend')
  }

  /**
   * The datum goes out.
   * @returns which attempt this is, from 1; undefined when it is not waiting to be sent (any more: a late result of an
   *   earlier attempt may have come while its item was read), and then it must not go out
   */
  dispatched(datum: number): number | undefined {
    const entry = this.#entries.get(datum)
    if (entry?.kind !== 'toSend') return undefined
    const attempt = entry.attempt + 1
    if (attempt > 1) this.#resent++
    this.#put(datum, { kind: 'inFlight', attempt, custodian: undefined, holders: new Set() })
    return attempt
  }

  /** `device` has it now. */
  custody(dispatch: Dispatch, device: DeviceId): void {
    const entry = this.#current(dispatch)
    if (entry === undefined) return
    entry.custodian = device
    entry.holders.add(device)
  }

  /**
   * Somebody gave it to `device`, which is gone. Old news when `device` is known to have passed it on.
   * @returns true when it is to be sent again
   */
  lost(dispatch: Dispatch, device: DeviceId): boolean {
    const entry = this.#current(dispatch)
    if (entry === undefined || (entry.custodian !== device && entry.holders.has(device))) return false
    this.#giveBack(dispatch.datum, entry)
    return true
  }

  /** It failed somewhere, or nothing was heard of it. @returns true when it is to be sent again; false: that is old news */
  cameBack(dispatch: Dispatch): boolean {
    const entry = this.#current(dispatch)
    if (entry === undefined) return false
    this.#giveBack(dispatch.datum, entry)
    return true
  }

  /** Everybody who had it in its present dispatch, as far as is known. */
  holders(datum: number): ReadonlySet<DeviceId> {
    const entry = this.#entries.get(datum)
    return entry?.kind === 'inFlight' ? entry.holders : new Set()
  }

  /** @returns the data that `device` had: to be sent again */
  deviceLost(device: DeviceId): readonly number[] {
    return this.#giveBackAll(entry => entry.custodian === device)
  }

  /** All that is under way is to be sent again: what it was sent with counts no longer. @returns the data */
  recall(): readonly number[] {
    return this.#giveBackAll(() => true)
  }

  /**
   * The datum is given up: it cannot be computed, and `cause` is to be written in place of its result, then `written`.
   * @returns false, changing nothing, when it has a result, was given up before or was never admitted
   */
  fail(datum: number, cause: string): boolean {
    return this.#end(datum, { failed: cause })
  }

  /** Its result is home, and nothing that can be written: `cause` is, in its place. @throws InvariantError when it has no result */
  refuse(datum: number, cause: string): void {
    const entry = this.#entries.get(datum)
    if (entry?.kind !== 'toWrite' || entry.ends !== 'done')
      throw new InvariantError(`datum ${datum} has no result to be refused`)
    this.#put(datum, { kind: 'toWrite', ends: { failed: cause }, attempt: entry.attempt })
  }

  /** Its deadline has come while it was under way: that is to be written in place of its result. @returns as `fail` */
  drop(datum: number): boolean {
    return this.#end(datum, 'dropped')
  }

  /**
   * The datum cannot be sent again, though nothing is wrong with it: its item is away. It is owed no more in this run, unless
   * its item comes back and it is admitted again; it has no line in the sink, and is done at the next start.
   * @returns false, changing nothing, when it is not waiting to be sent
   */
  abandon(datum: number): boolean {
    if (this.#entries.get(datum)?.kind !== 'toSend') return false
    this.#entries.delete(datum)
    this.#abandoned.add(datum)
    return true
  }

  /**
   * A result came home: write it when it is the first. One of a datum that was given up comes too late: a datum has one line.
   * 'stranger': never admitted here, so from an earlier run of this source; not counted, it will be computed again.
   */
  result(datum: number): 'first' | 'duplicate' | 'stranger' {
    const entry = this.#entries.get(datum)
    if (this.#isDone(datum) || entry?.kind === 'toWrite') {
      this.#duplicates++
      return 'duplicate'
    }
    if (entry === undefined) return 'stranger'
    this.#end(datum, 'done')
    return 'first'
  }

  /** Its result, or why it has none, is in the sink, for good. @throws InvariantError when it had neither */
  written(datum: number): void {
    const entry = this.#entries.get(datum)
    if (entry?.kind !== 'toWrite') throw new InvariantError(`datum ${datum} has no result to be written`)
    this.#entries.delete(datum)
    this.#toWrite--
    this.#ended.add(datum)
    if (typeof entry.ends === 'string') this.#counts[entry.ends]++
    else this.#giveUp(datum, entry.ends.failed)
  }

  /** It has an outcome without having been admitted: so that numbers have no gaps, which take memory. */
  passOver(datum: number): void {
    this.#ended.add(datum)
  }

  /** Dispatches so far of a datum that is not done; 0 before the first. */
  attempts(datum: number): number {
    return this.#entries.get(datum)?.attempt ?? 0
  }

  /** Data that were given up last, which is in the sink, and why. */
  failures(): readonly { readonly datum: number; readonly because: string }[] {
    return [...this.#causes].map(([datum, because]) => ({ datum, because }))
  }

  counts(): LedgerCounts {
    const { done, failed, dropped } = this.#counts
    return {
      admitted: this.#entries.size + done + failed + dropped + this.#abandoned.size,
      ...this.#counts,
      outstanding: this.#outstanding,
      abandoned: this.#abandoned.size,
      resent: this.#resent,
      duplicates: this.#duplicates
    }
  }

  get #outstanding(): number {
    return this.#entries.size
  }

  #isDone(datum: number): boolean {
    return this.#ended.has(datum) || this.#doneBefore.has(datum)
  }

  #end(datum: number, ends: Extract<State, { kind: 'toWrite' }>['ends']): boolean {
    const entry = this.#entries.get(datum)
    if (entry === undefined || entry.kind === 'toWrite') return false
    this.#toWrite++
    this.#put(datum, { kind: 'toWrite', ends, attempt: entry.attempt })
    return true
  }

  /** A source may fail at all it has, for as long as it runs. */
  #giveUp(datum: number, cause: string): void {
    this.#counts.failed++
    this.#causes.set(datum, cause)
    const [oldest] = this.#causes.keys()
    if (this.#causes.size > MOST_CAUSES) this.#causes.delete(oldest!)
  }

  #put(datum: number, entry: Entry): void {
    this.#entries.set(datum, entry)
  }

  /** The entry that a message is about, unless the message is old news. */
  #current({ datum, attempt }: Dispatch) {
    const entry = this.#entries.get(datum)
    return entry?.kind === 'inFlight' && entry.attempt === attempt ? entry : undefined
  }

  #giveBack(datum: number, { attempt }: Entry): void {
    this.#put(datum, { kind: 'toSend', attempt })
  }

  #giveBackAll(which: (entry: Extract<Entry, { kind: 'inFlight' }>) => boolean): readonly number[] {
    const data = this.#select(entry => entry.kind === 'inFlight' && which(entry))
    for (const datum of data) this.#giveBack(datum, this.#entries.get(datum)!)
    return data
  }

  #select(which: (entry: Entry) => boolean): readonly number[] {
    return [...this.#entries].flatMap(([datum, entry]) => (which(entry) ? [datum] : []))
  }
}
