import { parseModelReference } from '../../core/model-reference.ts'
import { seconds } from '../../core/units.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import { listItems } from '../../runtime/io/list-items.ts'
import { parseSourceSpec, type SourceSpec } from '../../runtime/io/source-spec.ts'
import { identityOf } from '../../runtime/sink/open-branch.ts'
import { type SinkChange, SinkShelf } from '../../runtime/sink/sink-shelf.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { requireFfmpeg } from '../../sources/require-ffmpeg.ts'
import type { AdmissionGate } from './admission-gate.ts'
import { type CreatedSource, createSource, type Settled } from './create-source.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { shapesFor } from './shapes-for.ts'
import { SourceKinds } from './source-kinds.ts'

export interface NodeSourcesParts {
  readonly device: Device
  readonly folder: StateFolder
  readonly log: NodeLog
  /** Told of every datum whose outcome is in its sink. */
  readonly settled?: Settled | undefined
  /** Of those whose items are listed. @default they go all the way */
  readonly gate?: AdmissionGate | undefined
}

/** What sources and sinks are to become. Names. */
export interface SourcesChange {
  readonly sources: {
    readonly added: readonly string[]
    readonly changed: readonly string[]
    readonly removed: readonly string[]
    /** Nothing but their weight is another. */
    readonly weighed: readonly string[]
  }
  readonly sinks: { readonly added: readonly string[]; readonly removed: readonly string[] }
  /** What can be said against the new ones is said now. @throws UserError */
  check(): Promise<void>
  /** Those that go let what is under way come home; then the new ones come. */
  commit(): Promise<void>
  undo(): Promise<void>
}

interface Here {
  readonly id: string
  /** All that it is made of but its weight: another one where that differs. */
  readonly key: string
  readonly weight: number
  /** When nothing of it settles any more. */
  close(): Promise<void>
}

interface Fresh extends CreatedSource {
  readonly key: string
  readonly source: SourceSpec
}

/** What sources are changed with. */
interface Opened {
  readonly options: NodeOptions
  readonly spec: IoSpec | undefined
  readonly sinks: SinkChange
  /** Their kinds. */
  readonly forget: () => void
}

/** What is under way at a source that goes comes home within that time, or is done by the next one of its name. */
const PATIENCE = seconds(30)

/** The sources that flags describe, and their sinks: they come, change and go while the device runs. */
export class NodeSources {
  readonly #parts: NodeSourcesParts
  readonly #shelf: SinkShelf
  #here = new Map<string, Here>()
  readonly #kinds = new SourceKinds()

  constructor(parts: NodeSourcesParts) {
    this.#parts = parts
    const { folder, log } = parts
    this.#shelf = new SinkShelf({
      stateFolder: folder.sources,
      isLive: source => this.#kinds.isLive(source),
      clock: systemClock,
      say: (text, level) => log.say(text, level)
    })
  }

  /**
   * Open what is new; nothing else has changed yet.
   * @throws UserError for a folder that is not there, a sink that cannot be written, or a source that changes only with a restart: nothing is open then that was not
   */
  async prepare(options: NodeOptions, spec: IoSpec | undefined): Promise<SourcesChange> {
    const specs = options.sources.map(parseSourceSpec)
    for (const { kind, folder } of specs) if (kind === 'dir') await listItems(folder)
    if (specs.some(({ kind }) => kind === 'video')) await requireFfmpeg()
    const forget = this.#kinds.take(specs, options.name)
    try {
      const names = specs.map(({ name }) => name)
      const sinks = await this.#shelf.change(specs.length === 0 ? [] : options.sinks, names)
      try {
        return this.#changeTo(specs, { options, spec, sinks, forget })
      } catch (error) {
        await sinks.undo()
        throw error
      }
    } catch (error) {
      forget()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#shelf.stop()
    await Promise.all([...this.#here.values()].map(source => source.close()))
  }

  #changeTo(specs: readonly SourceSpec[], { options, spec, sinks, forget }: Opened): SourcesChange {
    const next = new Map(specs.map(source => [source.name, { source, key: this.#keyOf(source, options, spec) }]))
    const fresh = [...next.values()].filter(({ source, key }) => this.#here.get(source.name)?.key !== key)
    this.#kinds.refuseInput(fresh.map(({ source }) => source))
    const runners = fresh.map(({ source, key }) => ({
      ...this.#create(source, options, spec),
      ...{ key, source }
    }))
    const gone = [...this.#here.keys()].filter(name => this.#here.get(name)!.key !== next.get(name)?.key)
    const weighed = specs.filter(({ name, weight }) => {
      const here = this.#here.get(name)
      return here !== undefined && here.key === next.get(name)?.key && here.weight !== weight
    })
    return {
      sources: {
        added: fresh.flatMap(({ source }) => (this.#here.has(source.name) ? [] : [source.name])),
        changed: gone.filter(name => next.has(name)),
        removed: gone.filter(name => !next.has(name)),
        weighed: weighed.map(({ name }) => name)
      },
      sinks: { added: sinks.added, removed: sinks.removed },
      check: async () => {
        for (const { runner } of runners) await runner.check()
      },
      commit: async () => {
        for (const source of weighed) this.#weigh(source)
        await this.#commit(gone, runners, sinks)
      },
      undo: () => {
        forget()
        return sinks.undo()
      }
    }
  }

  #weigh({ name, weight }: SourceSpec): void {
    const here = this.#here.get(name)!
    this.#parts.device.weighSource(here.id, weight)
    this.#here.set(name, { ...here, weight })
  }

  async #commit(gone: readonly string[], runners: readonly Fresh[], sinks: SinkChange): Promise<void> {
    const { device } = this.#parts
    const leave = async (name: string): Promise<void> => {
      const { id, close } = this.#here.get(name)!
      await device.removeSource(id, PATIENCE)
      await close()
      this.#here.delete(name)
    }
    await Promise.all(gone.map(leave))
    for (const { runner, close, key, source } of runners) {
      await device.addSource(runner)
      this.#kinds.begun([source])
      this.#here.set(source.name, { id: runner.id, key, weight: source.weight, close })
    }
    await sinks.commit()
  }

  #create(source: SourceSpec, options: NodeOptions, spec: IoSpec | undefined): CreatedSource {
    const sinks = this.#shelf.specsOf(source.name)
    return createSource(source, { ...this.#parts, options, spec, sinks, sink: this.#shelf.sinkOf(source.name) })
  }

  #keyOf(source: SourceSpec, options: NodeOptions, spec: IoSpec | undefined): string {
    const sinks = identityOf(this.#shelf.specsOf(source.name))
    const shapes =
      source.model === undefined ? options.shapes : [...shapesFor(parseModelReference(source.model).name, options)]
    return JSON.stringify([{ ...source, weight: undefined }, sinks, source.synthetic === undefined ? spec : shapes])
  }
}
