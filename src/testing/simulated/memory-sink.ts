import { type Seconds, seconds } from '../../core/units.ts'
import { NotWritten } from '../../runtime/ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../../runtime/ports/sink.ts'
import { outcomeOf, type SinkEntry } from '../../runtime/ports/sink-entry.ts'
import type { ProcessClock } from './process-clock.ts'

/** What a sink has on its disk: it survives the process. */
export interface SinkDisk {
  readonly lines: { readonly entry: SinkEntry; readonly stamp: string | undefined }[]
}

export interface MemorySinkParts {
  readonly name: string
  readonly clock: ProcessClock
  readonly disk: SinkDisk
  /** How long the disk takes for a line. */
  readonly delay: () => Seconds
  /** Why it takes none now. */
  readonly refuses: () => string | undefined
  /** A second line was asked for of a datum that has one. */
  readonly twin?: (entry: SinkEntry) => void
}

const AGAIN: Seconds = seconds(0.5)

/** Keeps the contract of a sink in memory: lines in the order of `write`, each datum once, none lost while the disk refuses. */
export class MemorySink implements Sink {
  readonly name: string
  readonly #parts: MemorySinkParts
  readonly #known = new Map<string, Map<number, Recorded>>()
  readonly #asked = new Set<string>()
  #tail: Promise<unknown> = Promise.resolve()
  #stuck: { readonly because: string; readonly tries: number } | undefined
  #isStopped = false

  constructor(parts: MemorySinkParts) {
    this.#parts = parts
    this.name = parts.name
    for (const { entry, stamp } of parts.disk.lines) this.#record(entry, stamp)
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#known.get(source) ?? new Map()
  }

  counts(source: string): RecordedCounts {
    const counts = { results: 0, skipped: 0, failed: 0 }
    for (const { kind } of this.recorded(source).values()) counts[kind === 'result' ? 'results' : kind]++
    return counts
  }

  async write(entry: SinkEntry, stamp?: string): Promise<'written' | 'twin'> {
    if (this.#isStopped) throw new NotWritten(`${this.name} was stopped`)
    const { source, datum } = entry
    const known = this.recorded(source).get(datum)
    const key = `${source} ${datum}`
    const mayFollow = known?.kind === 'skipped' && outcomeOf(entry) !== 'skipped'
    if ((known !== undefined && !mayFollow) || this.#asked.has(key)) {
      this.#parts.twin?.(entry)
      return 'twin'
    }
    this.#asked.add(key)
    const written = this.#tail.then(() => this.#toDisk(entry, stamp))
    this.#tail = written.catch(() => {})
    try {
      await written
      return 'written'
    } finally {
      this.#asked.delete(key)
    }
  }

  state(): SinkState {
    if (this.#isStopped) return { kind: 'stopped' }
    return this.#stuck === undefined ? { kind: 'open' } : { kind: 'stuck', ...this.#stuck }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#tail
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #toDisk(entry: SinkEntry, stamp: string | undefined): Promise<void> {
    const { clock, disk, delay, refuses } = this.#parts
    await clock.sleep(delay())
    for (let because = refuses(); because !== undefined; because = refuses()) {
      if (this.#isStopped) throw new NotWritten(`${this.name}: ${because}`)
      this.#stuck = { because, tries: (this.#stuck?.tries ?? 0) + 1 }
      await clock.sleep(AGAIN)
    }
    this.#stuck = undefined
    disk.lines.push({ entry, stamp })
    this.#record(entry, stamp)
    // The process may be killed here: the line is on the disk, and nobody was told.
    await clock.sleep(delay())
  }

  #record(entry: SinkEntry, stamp: string | undefined): void {
    const { source, datum, item } = entry
    const known = this.#known.get(source) ?? new Map<number, Recorded>()
    this.#known.set(
      source,
      known.set(datum, { item, kind: outcomeOf(entry), ...(stamp === undefined ? {} : { stamp }) })
    )
  }
}
