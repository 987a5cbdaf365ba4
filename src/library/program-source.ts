import { seconds } from '../core/units.ts'
import type { Device } from '../runtime/device/device.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'
import { SourceRunner, type SourceRunnerParts } from '../runtime/device/source-runner.ts'
import type { ItemStream, NumberedItem } from '../runtime/ports/source-data.ts'
import { systemClock, wallTime } from '../runtime/system-clock.ts'
import type { CheckedSource } from './check-source-options.ts'
import type { SourceStatus } from './cluster-status.ts'
import { createMemoryPort } from './memory-port.ts'
import type { Outcome } from './outcome.ts'
import { createOutcomeSink } from './outcome-sink.ts'

/** Data as they come from a program. */
export interface ProgramItems extends ItemStream {
  /** So many have come. */
  readonly taken: number
  close(): void
}

export interface ProgramSourceParts {
  readonly options: CheckedSource
  readonly deviceName: string
  readonly device: Device
  /** No source of this name on this device had it before. */
  readonly life: string
  readonly stream: ProgramItems
  /** A place for the next outcome: what it waits for, the source waits for. @default there is always room */
  readonly room?: () => Promise<void>
  /** Each datum's, once. */
  readonly deliver: (outcome: Outcome) => void
  /** Nothing more is delivered. */
  readonly over: (failure?: { readonly error: unknown }) => void
  readonly say: (text: string, level?: LogLevel) => void
}

/** A source whose data come from the program that this device runs in. */
export class ProgramSource {
  readonly name: string
  readonly runner: SourceRunner
  readonly #parts: ProgramSourceParts
  /** Data without an outcome so far, by number: their items' names. */
  readonly #open = new Map<number, string>()
  #isOver = false

  constructor(parts: ProgramSourceParts) {
    this.#parts = parts
    this.name = parts.options.name
    this.runner = new WatchedRunner(this.#runnerParts(), failure => this.#over(failure))
  }

  /** It has ended, by itself or because it was stopped: all of its data have their outcomes. */
  get isOver(): boolean {
    return this.#isOver
  }

  status(): SourceStatus {
    return this.runner.status()
  }

  /** It owes this datum an outcome from now on. */
  owes({ datum, item }: NumberedItem): void {
    this.#open.set(datum, item.name)
  }

  /** What has no outcome yet is dropped. Idempotent. */
  async stop(): Promise<void> {
    this.#parts.stream.close()
    await this.runner.stop()
    this.#over()
  }

  #over(failure?: { readonly error: unknown }): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const [datum, item] of this.#open)
      this.#parts.deliver({ source: this.name, datum, item, kind: 'dropped', reason: 'stopped' })
    this.#open.clear()
    this.#parts.over(failure)
  }

  #runnerParts(): SourceRunnerParts {
    const { options, device, deviceName, life, stream, say, room = async () => {} } = this.#parts
    const sink = createOutcomeSink(options.name, { room, deliver: outcome => this.#deliver(outcome) })
    const { name, model, window, weight, rate, admission } = options
    return {
      spec: {
        ...{ name, model, window, weight, admission },
        // For the placement only: data come when they come.
        arrivals: rate === undefined ? { kind: 'saturated' } : { kind: 'poisson', rate },
        ...{ start: seconds(0), patience: seconds(0) }
      },
      availableAt: undefined,
      ...{ deviceName, life, clock: systemClock, wallTime, view: device.view, say },
      sink,
      settled: datum => sink.settled(datum),
      openItems: async () => ({
        todo: stream,
        away: [],
        get total() {
          return stream.taken
        }
      }),
      createPort: createMemoryPort,
      isLive: true,
      ...{ breaker: device.breaker, submit: device.submit, isHere: device.isHere },
      ...{
        setAside: device.setAside,
        full: device.full,
        cancel: device.cancel,
        stretch: device.stretch,
        observe: device.observer,
        tracer: device.tracer
      }
    }
  }

  #deliver(outcome: Outcome): void {
    if (this.#isOver || !this.#open.delete(outcome.datum)) return
    this.#parts.deliver(outcome)
  }
}

/** Tells when it is through, and with what error. */
class WatchedRunner extends SourceRunner {
  readonly #over: (failure?: { readonly error: unknown }) => void

  constructor(parts: SourceRunnerParts, over: (failure?: { readonly error: unknown }) => void) {
    super(parts)
    this.#over = over
  }

  override async run(...args: Parameters<SourceRunner['run']>): Promise<void> {
    try {
      await super.run(...args)
      this.#over()
    } catch (error) {
      this.#over({ error })
      throw error
    }
  }
}
