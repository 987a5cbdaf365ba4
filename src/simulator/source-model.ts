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
  admitted = 0
  resent = 0
  /** An admission is already due. */
  awaited = false
  readonly #backlog: BacklogSign

  constructor(index: number, spec: SimulatedSource) {
    this.index = index
    this.spec = spec
    this.#backlog = new BacklogSign(spec.window)
  }

  get isDone(): boolean {
    return this.results.length === this.spec.count
  }

  mayAdmit(): boolean {
    return this.admitted < this.spec.count && this.flights.size < this.spec.window
  }

  /** When the next datum is available; for a saturated source: now, or when it starts. */
  nextDue(now: Seconds): Seconds {
    const start = this.spec.start ?? 0
    const due =
      this.spec.availableAt === undefined ? Math.max(now, start) : start + this.spec.availableAt(this.admitted)
    return due as Seconds
  }

  admit(availableAt: Seconds, now: Seconds): SimulatedTask {
    const room = this.spec.window - this.flights.size - 1
    this.#backlog.admitted(room, this.spec.availableAt !== undefined && availableAt >= now)
    return this.#dispatch(this.admitted++, availableAt, now, 1)
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
      queuedAt: now,
      done: 0,
      attempt,
      route: [],
      refusals: 0
    }
    this.flights.set(datum, task)
    return task
  }
}
