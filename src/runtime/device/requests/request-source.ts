import { PATIENT_TERMS } from '../../../core/admission-terms.ts'
import type { Clock } from '../../../core/clock.ts'
import type { DropReason } from '../../../core/drop-reason.ts'
import type { TraceParent } from '../../../core/parse-traceparent.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { DeviceTask } from '../../dispatch/device-task.ts'
import { isDropped, isFailed, type SinkEntry } from '../../ports/sink-entry.ts'
import type { NumberedItem } from '../../ports/source-data.ts'
import type { Device } from '../device.ts'
import type { LogLevel } from '../log-level.ts'
import { SourceRunner, type SourceRunnerParts } from '../source-runner.ts'
import { createRequestPort, type RequestItem } from './request-port.ts'
import { RequestQueue } from './request-queue.ts'
import { createRequestSink } from './request-sink.ts'

export interface RequestSourceParts {
  readonly device: Device
  readonly deviceName: string
  /** No source of this name on this device had it before. */
  readonly life: string
  readonly name: string
  /** Its name. */
  readonly model: string
  readonly weight: number
  /** The placement is made without it. */
  readonly isUncounted: boolean
  readonly clock: Clock
  readonly wallTime: () => Seconds
  readonly say: (text: string, level?: LogLevel) => void
  /** It has ended: nothing is computed for it any more. */
  readonly over: () => void
}

/** What has become of a datum. */
export type PartOutcome =
  | {
      readonly kind: 'result'
      readonly outputs: readonly Tensor[]
      /** How often it was sent out. */
      readonly attempts: number
      /** From when it was asked for to when it came home. */
      readonly took: Seconds
      /** Of that, blocks ran. */
      readonly served: Seconds
    }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  | { readonly kind: 'failed'; readonly cause: string }

/** A datum that was asked for. */
export interface RequestPart {
  readonly outcome: Promise<PartOutcome>
  /** It is not wanted any more. */
  letGo(reason: DropReason): void
  /** It is dropped for its deadline, unless some block of it has been run, or is running. */
  expire(): void
}

interface Open {
  datum: number | undefined
  readonly settle: (outcome: PartOutcome) => void
}

/** One who asks, as a source of the cluster: each datum is asked for by itself, and has one outcome. */
export class RequestSource {
  readonly name: string
  readonly model: string
  readonly runner: SourceRunner
  readonly #parts: RequestSourceParts
  readonly #queue: RequestQueue<RequestItem>
  /** Data without an outcome. */
  readonly #open = new Map<RequestItem, Open>()
  readonly #items = new Map<number, RequestItem>()
  #isOver = false
  #asked = 0

  constructor(parts: RequestSourceParts) {
    this.#parts = parts
    this.name = parts.name
    this.model = parts.model
    this.#queue = new RequestQueue(parts.clock, numbered => this.#taken(numbered))
    this.runner = new Runner(this.#runnerParts(), () => this.#over())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isUncounted(): boolean {
    return this.#parts.isUncounted
  }

  /** Data that have no outcome yet. */
  get pending(): number {
    return this.#open.size
  }

  /** @param tensors are not written to, and kept until it has its outcome */
  ask(tensors: readonly Tensor[], trace?: TraceParent): RequestPart {
    const item: RequestItem = { name: String(this.#asked++), tensors, trace }
    const outcome = new Promise<PartOutcome>(settle => this.#open.set(item, { datum: undefined, settle }))
    if (this.#isOver) this.#settle(item, { kind: 'dropped', reason: 'stopped' })
    else this.#queue.put(item)
    return {
      outcome,
      letGo: reason => this.#letGo(item, reason),
      expire: () => this.#expire(item)
    }
  }

  /** What has no outcome yet is dropped. Idempotent. */
  async stop(): Promise<void> {
    this.#queue.close()
    await this.runner.stop()
    this.#over()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const item of [...this.#open.keys()]) this.#settle(item, { kind: 'dropped', reason: 'stopped' })
    this.#parts.over()
  }

  #taken({ datum, item }: NumberedItem & { readonly item: RequestItem }): void {
    this.#items.set(datum, item)
    const open = this.#open.get(item)
    if (open !== undefined) open.datum = datum
  }

  #letGo(item: RequestItem, reason: DropReason): void {
    const datum = this.#open.get(item)?.datum
    this.#queue.remove(item)
    this.#settle(item, { kind: 'dropped', reason })
    // One that is being read just now is computed for nobody.
    if (datum !== undefined) this.runner.letGo(datum, reason)
  }

  #expire(item: RequestItem): void {
    const open = this.#open.get(item)
    if (open === undefined) return
    const { datum } = open
    if (datum === undefined || this.#parts.device.isUnbegun(this.runner.id, datum)) this.#letGo(item, 'deadline')
    else (this.runner as Runner).expire(datum)
  }

  #settle(item: RequestItem, outcome: PartOutcome): void {
    const open = this.#open.get(item)
    if (open === undefined) return
    this.#open.delete(item)
    open.settle(outcome)
  }

  #told(entry: SinkEntry, served: Seconds): void {
    const item = this.#items.get(entry.datum)
    this.#items.delete(entry.datum)
    if (item !== undefined) this.#settle(item, outcomeOf(entry, served))
  }

  #runnerParts(): SourceRunnerParts {
    const { name, model, weight, device, deviceName, life, clock, wallTime, say, isUncounted } = this.#parts
    const sink = createRequestSink(name, entry => this.#told(entry, (this.runner as Runner).servedOf(entry.datum)))
    const queue = this.#queue
    return {
      spec: {
        ...{ name, model, weight, window: 'auto', admission: PATIENT_TERMS },
        arrivals: { kind: 'saturated' },
        ...{ start: seconds(0), patience: seconds(0) }
      },
      availableAt: undefined,
      ...{ deviceName, life, clock, wallTime, view: device.view, say, sink, isUncounted },
      settled: datum => sink.settled(datum),
      openItems: async () => ({
        todo: queue,
        away: [],
        get total() {
          return queue.taken
        }
      }),
      createPort: manifest => createRequestPort(manifest),
      ...{ isLive: true, isAsked: true },
      ...{ breaker: device.breaker, submit: device.submit, isHere: device.isHere },
      ...{ setAside: device.setAside, full: device.full, cancel: device.cancel, withdraw: device.withdraw },
      stretch: device.stretch,
      observe: device.observer,
      tracer: device.tracer
    }
  }
}

const outcomeOf = (entry: SinkEntry, served: Seconds): PartOutcome => {
  if (isFailed(entry)) return { kind: 'failed', cause: entry.cause }
  if (isDropped(entry)) return { kind: 'dropped', reason: entry.reason }
  const { result, attempts, inferenceTime } = entry
  return { kind: 'result', outputs: result as readonly Tensor[], attempts, took: seconds(inferenceTime), served }
}

/** Tells when it is through, and how long blocks ran for a datum. */
class Runner extends SourceRunner {
  readonly #over: () => void
  readonly #served = new Map<number, Seconds>()
  /** Their time is over, and another device may not have begun with them. */
  readonly #expired = new Set<number>()

  constructor(parts: SourceRunnerParts, over: () => void) {
    super(parts)
    this.#over = over
  }

  /** Once. */
  servedOf(datum: number): Seconds {
    const served = this.#served.get(datum) ?? seconds(0)
    this.#served.delete(datum)
    this.#expired.delete(datum)
    return served
  }

  expire(datum: number): void {
    this.#expired.add(datum)
    this.recallUnbegun(datum)
  }

  /** It may have been on its way when its time was over. */
  override custody(...args: Parameters<SourceRunner['custody']>): void {
    super.custody(...args)
    const [{ datum }] = args
    if (this.#expired.has(datum)) this.recallUnbegun(datum)
  }

  override lost(...args: Parameters<SourceRunner['lost']>): void {
    const [{ datum }] = args
    if (this.#expired.has(datum)) this.letGo(datum, 'deadline')
    else super.lost(...args)
  }

  override delivered(task: DeviceTask): void {
    this.#expired.delete(task.datum)
    this.#served.set(task.datum, task.served)
    super.delivered(task)
  }

  override async run(...args: Parameters<SourceRunner['run']>): Promise<void> {
    try {
      await super.run(...args)
    } finally {
      this.#over()
    }
  }
}
