import { SourceBook } from '../cluster/source-book.ts'
import { WaitingRoom } from '../cluster/waiting-room.ts'
import type { WindowStretch } from '../cluster/window-stretch.ts'
import { type AdmissionTerms, PATIENT_TERMS } from '../core/admission-terms.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { SimulatedSource } from './simulation-input.ts'

export interface SourceModelParts {
  readonly self: DeviceId
  readonly now: () => Seconds
  /** What automatic windows are stretched by, in this life of its device. */
  readonly stretch: () => WindowStretch
  /** A datum has its result, or is dropped. */
  readonly ended: () => void
}

/**
 * A source in simulated time: its data come from a count, its results go nowhere, and its book and waiting room are those of a
 * running one. What comes while nothing may begin is looked at when something may: it is dropped as if it had been then.
 */
export class SourceModel {
  readonly index: number
  /** Unique in the run; made once: every task has it, and it is compared again and again. */
  readonly id: string
  readonly spec: SimulatedSource
  readonly results: { readonly datum: number; readonly availableAt: Seconds; readonly completedAt: Seconds }[] = []
  /** Different data that have come. */
  admitted = 0
  /** Of these, by the rule of its terms. */
  dropped = 0
  /** An admission is already due. */
  awaited = false
  /** When it is next looked for data that are too late. */
  cancelsAt: Seconds | undefined
  readonly #parts: SourceModelParts
  readonly #terms: AdmissionTerms
  readonly #waiting: WaitingRoom<number>
  #book: SourceBook
  /** When data that are under way were available. */
  readonly #availableAt = new Map<number, Seconds>()
  /** Its device has begun with it; one that is back waits until its data can be computed. */
  #hasBegun = true
  /** When its arrivals began, and how many data came since. */
  #origin: number
  #sinceOrigin = 0
  /** What was under way when its device went: admitted anew, before all others. */
  #interrupted: number[] = []
  #resentBefore = 0

  constructor(index: number, spec: SimulatedSource, parts: SourceModelParts) {
    this.index = index
    this.id = `${index}/${spec.name}`
    this.spec = spec
    this.#parts = parts
    this.#terms = spec.terms ?? PATIENT_TERMS
    this.#waiting = new WaitingRoom(this.#terms)
    this.#book = this.#open()
    this.#origin = spec.start ?? 0
  }

  /** What is under way, and who has it. */
  get book(): SourceBook {
    return this.#book
  }

  get isDone(): boolean {
    return this.results.length + this.dropped === this.spec.count
  }

  /** Sent out again, also in earlier lives of its device. */
  get resent(): number {
    return this.#resentBefore + this.#book.ledger.counts().resent
  }

  get mayAdmit(): boolean {
    return this.#hasBegun && this.#book.ledger.room > 0
  }

  /** While it may admit. @returns the datum that begins now; undefined: none does before `nextAt` */
  admit(): number | undefined {
    const now = this.#parts.now()
    do {
      this.#come(now)
      for (const _ of this.#waiting.expire(now)) this.#drop()
    } while (this.#waiting.size === 0 && this.#nextDue(now) <= now)
    const next = this.#waiting.take(now, this.#book.expects)
    if (next === undefined) return undefined
    this.#availableAt.set(next.datum, next.since)
    this.#book.admit(next.datum, this.spec.availableAt !== undefined && next.since >= now, next.since)
    return next.datum
  }

  /** When one may begin after none did now; undefined: there is no other. */
  get nextAt(): Seconds | undefined {
    if (this.#waiting.size > 0) return this.#waiting.permittedAt
    const due = this.#nextDue(this.#parts.now())
    return due < Number.POSITIVE_INFINITY ? due : undefined
  }

  /** What has come by now waits; each drops others as it would have when it came. */
  #come(now: Seconds): void {
    for (;;) {
      const due = this.#nextDue(now)
      if (due > now || !this.#mayCome) return
      for (const _ of this.#waiting.expire(due)) this.#drop()
      this.#sinceOrigin++
      if (this.#waiting.offer(this.#interrupted.shift() ?? this.admitted++, due) !== undefined) this.#drop()
    }
  }

  /** A saturated source makes none before it may begin; where none is dropped, whoever makes them waits. */
  get #mayCome(): boolean {
    if (this.spec.availableAt === undefined) return this.#waiting.size === 0
    return this.#terms.drop !== 'none' || !this.#waiting.isFull
  }

  #drop(): void {
    this.dropped++
    this.#parts.ended()
  }

  /** When the next datum comes; for a saturated source: as soon as it may begin. Infinite: there is no other. */
  #nextDue(now: Seconds): Seconds {
    const { availableAt, count } = this.spec
    if (this.#interrupted.length === 0 && this.admitted === count) return seconds(Number.POSITIVE_INFINITY)
    if (availableAt !== undefined) return seconds(this.#origin + availableAt(this.#sinceOrigin))
    return seconds(Math.max(now, this.#origin, this.#waiting.permittedAt))
  }

  /** Data under way whose deadline has come, where they are cancelled at it. */
  cancelLate(): readonly number[] {
    const late = this.#book.tooLate()
    for (const datum of late) {
      this.#book.ledger.written(datum)
      this.#availableAt.delete(datum)
      this.#drop()
    }
    return late
  }

  /** A datum that is to be sent, as a task. @returns undefined when its result has come meanwhile */
  task(datum: number): LiveTask | undefined {
    const attempt = this.#book.dispatched(datum)
    if (attempt === undefined) return undefined
    const { device: home, model, weight } = this.spec
    const { deadline } = this.#terms
    // All members, and no spread: tasks of one shape are handled several times as fast as those of many.
    return {
      source: this.id,
      datum,
      model,
      home,
      weight,
      deadline: deadline < Number.POSITIVE_INFINITY ? deadline : undefined,
      attempt,
      isBacklogged: this.#book.isBacklogged,
      lag: seconds(0),
      served: seconds(0),
      availableAt: this.#availableAt.get(datum)!,
      arrivedAt: this.#parts.now(),
      turn: 0,
      done: 0,
      route: [],
      keepsRoute: false,
      until: undefined,
      inBulk: false,
      refusals: 0
    }
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Its device is back, after it was gone; then it waits for `begin`. While it was gone, no data were born. */
  restart(): void {
    this.awaited = false
    this.cancelsAt = undefined
    this.#interrupted = [...this.#availableAt.keys(), ...this.#waiting.clear(), ...this.#interrupted].sort(
      (a, b) => a - b
    )
    this.#availableAt.clear()
    this.#hasBegun = false
    this.#resentBefore = this.resent
    this.#book = this.#open()
  }

  /** Those that were under way and all that are left come as they would from a source that starts now. */
  begin(): void {
    this.#hasBegun = true
    this.#origin = Math.max(this.#parts.now(), this.spec.start ?? 0)
    this.#sinceOrigin = 0
  }

  /** @returns false for a late duplicate, and for what is of an earlier life and not admitted again yet */
  delivered({ datum, attempt, served }: LiveTask): boolean {
    if (this.#book.result({ datum, attempt, served }) !== 'first') return false
    this.#book.ledger.written(datum)
    this.results.push({
      datum,
      availableAt: this.#availableAt.get(datum)!,
      completedAt: this.#parts.now()
    })
    this.#availableAt.delete(datum)
    this.#parts.ended()
    return true
  }

  #open(): SourceBook {
    const { self, now, stretch } = this.#parts
    return new SourceBook({ self, now, stretch: stretch(), window: this.spec.window, terms: this.#terms })
  }
}
