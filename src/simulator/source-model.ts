import { SourceBook } from '../cluster/source-book.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { SimulatedSource } from './simulation-input.ts'

/** A source in simulated time: its data come from a count, its results go nowhere, and its book is that of a running one. */
export class SourceModel {
  readonly index: number
  /** Unique in the run; made once: every task has it, and it is compared again and again. */
  readonly id: string
  readonly spec: SimulatedSource
  readonly results: { readonly datum: number; readonly availableAt: Seconds; readonly completedAt: Seconds }[] = []
  /** Different data. */
  admitted = 0
  /** An admission is already due. */
  awaited = false
  readonly #parts: { readonly self: DeviceId; readonly now: () => Seconds }
  #book: SourceBook
  /** When data that are under way were available. */
  readonly #availableAt = new Map<number, Seconds>()
  /** Its device has begun with it; one that is back waits until its data can be computed. */
  #hasBegun = true
  /** When its arrivals began, and how many data it admitted since. */
  #origin: number
  #sinceOrigin = 0
  /** What was under way when its device went: admitted anew, before all others. */
  #interrupted: number[] = []
  #resentBefore = 0

  constructor(index: number, spec: SimulatedSource, parts: { readonly self: DeviceId; readonly now: () => Seconds }) {
    this.index = index
    this.id = `${index}/${spec.name}`
    this.spec = spec
    this.#parts = parts
    this.#book = this.#open()
    this.#origin = spec.start ?? 0
  }

  /** What is under way, and who has it. */
  get book(): SourceBook {
    return this.#book
  }

  get isDone(): boolean {
    return this.results.length === this.spec.count
  }

  /** Sent out again, also in earlier lives of its device. */
  get resent(): number {
    return this.#resentBefore + this.#book.ledger.counts().resent
  }

  mayAdmit(): boolean {
    const isLeft = this.#interrupted.length > 0 || this.admitted < this.spec.count
    return this.#hasBegun && isLeft && this.#book.ledger.room > 0
  }

  /** When the next datum is available; for a saturated source: now, or when it starts. */
  nextDue(now: Seconds): Seconds {
    const { availableAt } = this.spec
    return seconds(
      availableAt === undefined ? Math.max(now, this.#origin) : this.#origin + availableAt(this.#sinceOrigin)
    )
  }

  /** The next, which is to be sent. */
  admit(availableAt: Seconds): number {
    const waitedForIt = this.spec.availableAt !== undefined && availableAt >= this.#parts.now()
    this.#sinceOrigin++
    const datum = this.#interrupted.shift() ?? this.admitted++
    this.#availableAt.set(datum, availableAt)
    this.#book.admit(datum, waitedForIt)
    return datum
  }

  /** A datum that is to be sent, as a task. @returns undefined when its result has come meanwhile */
  task(datum: number): LiveTask | undefined {
    const attempt = this.#book.dispatched(datum)
    if (attempt === undefined) return undefined
    const { device: home, model, weight } = this.spec
    return {
      source: this.id,
      datum,
      model,
      home,
      weight,
      attempt,
      isBacklogged: this.#book.isBacklogged,
      lag: seconds(0),
      availableAt: this.#availableAt.get(datum)!,
      arrivedAt: this.#parts.now(),
      turn: 0,
      done: 0,
      route: [],
      refusals: 0
    }
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Its device is back, after it was gone; then it waits for `begin`. While it was gone, no data were born. */
  restart(): void {
    this.awaited = false
    this.#interrupted = [...this.#availableAt.keys(), ...this.#interrupted].sort((a, b) => a - b)
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

  /** @returns false for a late twin, and for what is of an earlier life and not admitted again yet */
  delivered({ datum, attempt }: LiveTask): boolean {
    if (this.#book.result({ datum, attempt }) !== 'first') return false
    this.#book.ledger.written(datum)
    this.results.push({
      datum,
      availableAt: this.#availableAt.get(datum)!,
      completedAt: this.#parts.now()
    })
    this.#availableAt.delete(datum)
    return true
  }

  #open(): SourceBook {
    return new SourceBook({ ...this.#parts, window: this.spec.window })
  }
}
