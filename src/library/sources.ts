import { UserError } from '../core/user-error.ts'
import type { Device } from '../runtime/device/device.ts'
import { LiveItems } from '../runtime/device/live-items.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'
import { systemClock } from '../runtime/system-clock.ts'
import type { CheckedSource } from './check-source-options.ts'
import { memoryItem } from './memory-item.ts'
import type { Outcome } from './outcome.ts'
import { OutcomeReader } from './outcome-reader.ts'
import { ProgramSource, type ProgramSourceParts } from './program-source.ts'
import { PulledItems } from './pulled-items.ts'
import { PumpedItems } from './pumped-items.ts'
import type { IterableSource, SendingSource, SourceBase } from './source.ts'

export interface SourcesParts {
  readonly device: Device
  readonly deviceName: string
  /** Of this process, among all that this device has had. */
  readonly life: number
  readonly say: (text: string, level?: LogLevel) => void
}

/** Outcomes that may lie unread where the window does not say how many. */
const UNREAD = 16

/** The sources of a program, by name. One that has ended is in the status until another takes its name. */
export class Sources {
  readonly #parts: SourcesParts
  readonly #sources = new Map<string, ProgramSource>()
  #added = 0

  constructor(parts: SourcesParts) {
    this.#parts = parts
  }

  /** @throws UserError `nameTaken` */
  async addIterable(options: CheckedSource): Promise<IterableSource> {
    const reader = new OutcomeReader(options.window === 'auto' ? UNREAD : options.window)
    const pulled = new PulledItems(options.items!, item => source.owes(item))
    const { drop, rate } = options.admission
    const isAsked = drop === 'none' && rate === Number.POSITIVE_INFINITY
    const stream = isAsked
      ? pulled
      : new PumpedItems(
          pulled,
          this.#live(options, () => source)
        )
    const source = this.#create(options, {
      stream,
      room: () => reader.room(),
      deliver: outcome => reader.deliver(outcome),
      over: failure => reader.close(pulled.failure ?? failure)
    })
    await this.#add(source)
    return {
      ...this.#base(source),
      [Symbol.asyncIterator]: () => ({
        next: () => reader.next(),
        return: async () => {
          await this.#stop(source)
          return { done: true, value: undefined }
        }
      })
    }
  }

  /** @throws UserError `nameTaken` */
  async addSending(options: CheckedSource): Promise<SendingSource> {
    const stream = this.#live(options, () => source)
    const waiting = new Map<number, (outcome: Outcome) => void>()
    const over = Promise.withResolvers<void>()
    const source = this.#create(options, {
      stream,
      deliver: outcome => {
        waiting.get(outcome.datum)?.(outcome)
        waiting.delete(outcome.datum)
      },
      over: () => over.resolve()
    })
    await this.#add(source)
    return {
      ...this.#base(source),
      send: given => {
        if (stream.ended)
          throw new UserError(`source ${source.name} has ended: nothing can be sent any more`, { code: 'ended' })
        return new Promise(resolve => {
          const datum = stream.taken
          const item = memoryItem(given, datum)
          waiting.set(datum, resolve)
          source.owes({ datum, item })
          stream.put(item)
        })
      },
      end: async () => {
        stream.end()
        await over.promise
      }
    }
  }

  /** All of them. */
  async stop(): Promise<void> {
    await Promise.all([...this.#sources.values()].map(source => this.#stop(source)))
  }

  #create(
    options: CheckedSource,
    parts: Pick<ProgramSourceParts, 'stream' | 'room' | 'deliver' | 'over'>
  ): ProgramSource {
    const { device, deviceName, life, say } = this.#parts
    const { name } = options
    if (this.#sources.get(name)?.isOver === false)
      throw new UserError(`a source of this device is called ${name} already; stop it, or choose another name`, {
        code: 'nameTaken',
        facts: { name }
      })
    return new ProgramSource({ ...parts, options, device, deviceName, life: `${life}.${++this.#added}`, say })
  }

  #live({ admission }: CheckedSource, source: () => ProgramSource): LiveItems {
    return new LiveItems({
      ...{ terms: admission, clock: systemClock },
      dropped: (numbered, reason) => source().runner.drop(numbered, reason)
    })
  }

  async #add(source: ProgramSource): Promise<void> {
    const before = this.#sources.get(source.name)
    this.#sources.set(source.name, source)
    try {
      if (before !== undefined) await this.#stop(before)
      await this.#parts.device.addSource(source.runner)
    } catch (error) {
      await this.#stop(source)
      throw error
    }
  }

  #base(source: ProgramSource): SourceBase {
    return { name: source.name, status: () => source.status(), stop: () => this.#stop(source) }
  }

  async #stop(source: ProgramSource): Promise<void> {
    await source.stop()
    await this.#parts.device.removeSource(source.runner.id)
    if (this.#sources.get(source.name) === source) this.#sources.delete(source.name)
  }
}
