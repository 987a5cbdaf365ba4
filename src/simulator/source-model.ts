import { type Seconds, seconds } from '../core/units.ts'
import { BacklogSign } from '../scheduler/backlog-sign.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { SimulatedSource } from './simulation-input.ts'

/** A datum in flight, and the device that has its activation now. */
export interface SimulatedTask extends LiveTask {
  holder: number
}

/** A source with its ledger: what is in flight, what came back. */
export class SourceModel {
  readonly index: number
  readonly spec: SimulatedSource
  readonly results: { readonly datum: number; readonly availableAt: Seconds; readonly completedAt: Seconds }[] = []
  readonly flights = new Map<number, SimulatedTask>()
  /** Different data. */
  admitted = 0
  resent = 0
  /** An admission is already due. */
  awaited = false
  #backlog: BacklogSign
  /** When its arrivals began, and how many data it admitted since. */
  #origin: number
  #sinceOrigin = 0
  /** What was under way when its device went: admitted anew, before all others. */
  #interrupted: SimulatedTask[] = []

  constructor(index: number, spec: SimulatedSource) {
    this.index = index
    this.spec = spec
    this.#backlog = new BacklogSign(spec.window)
    this.#origin = spec.start ?? 0
  }

  get isDone(): boolean {
    return this.results.length === this.spec.count
  }

  mayAdmit(): boolean {
    const isLeft = this.#interrupted.length > 0 || this.admitted < this.spec.count
    return isLeft && this.flights.size < this.spec.window
  }

  /** When the next datum is available; for a saturated source: now, or when it starts. */
  nextDue(now: Seconds): Seconds {
    const { availableAt } = this.spec
    return seconds(
      availableAt === undefined ? Math.max(now, this.#origin) : this.#origin + availableAt(this.#sinceOrigin)
    )
  }

  admit(availableAt: Seconds, now: Seconds): SimulatedTask {
    const room = this.spec.window - this.flights.size - 1
    this.#backlog.admitted(room, this.spec.availableAt !== undefined && availableAt >= now)
    this.#sinceOrigin++
    const before = this.#interrupted.shift()
    return before === undefined
      ? this.#dispatch(this.admitted++, availableAt, now, 1)
      : this.#dispatch(before.datum, availableAt, now, before.attempt + 1)
  }

  /**
   * Its device is back, after it was gone. While it was, no data were born; those that were under way and all that are left
   * come as they would from a source that starts now.
   */
  restart(now: Seconds): void {
    this.awaited = false
    this.#interrupted = [...this.flights.values(), ...this.#interrupted].sort((a, b) => a.datum - b.datum)
    this.flights.clear()
    this.#origin = Math.max(now, this.spec.start ?? 0)
    this.#sinceOrigin = 0
    this.#backlog = new BacklogSign(this.spec.window)
  }

  /** Send a datum out again, from the start. */
  again({ datum, availableAt, attempt }: SimulatedTask, now: Seconds): SimulatedTask {
    this.resent++
    return this.#dispatch(datum, availableAt, now, attempt + 1)
  }

  /** @returns false for a late twin */
  delivered({ datum }: SimulatedTask, now: Seconds): boolean {
    const flight = this.flights.get(datum)
    if (flight === undefined) return false
    this.flights.delete(datum)
    this.results.push({ datum, availableAt: flight.availableAt, completedAt: now })
    return true
  }

  #dispatch(datum: number, availableAt: Seconds, now: Seconds, attempt: number): SimulatedTask {
    const { name, device, model, weight } = this.spec
    const task: SimulatedTask = {
      source: `${this.index}/${name}`,
      datum,
      model,
      home: device,
      holder: device,
      weight,
      isBacklogged: this.#backlog.isBacklogged,
      lag: seconds(0),
      availableAt,
      arrivedAt: now,
      turn: 0,
      done: 0,
      attempt,
      route: [],
      refusals: 0
    }
    this.flights.set(datum, task)
    return task
  }
}
