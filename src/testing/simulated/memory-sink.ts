import { concatBytes } from '../../core/concat-bytes.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { NotWritten } from '../../runtime/ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../../runtime/ports/sink.ts'
import { isNoItem, parseSinkLine, type SinkEntry, sinkLine } from '../../runtime/ports/sink-entry.ts'
import { recordedKindOf } from '../../runtime/sink/recorded-data.ts'
import { recoverSink } from '../../runtime/sink/recover-sink.ts'
import type { ProcessClock } from './process-clock.ts'

/** What a sink has on its disk, to the byte: it survives the process, which may have been killed within a line. */
export interface SinkDisk {
  bytes: Uint8Array
  /** By source and datum. */
  readonly stamps: Map<string, string>
}

/** An empty one. */
export const createSinkDisk = (): SinkDisk => ({ bytes: new Uint8Array(), stamps: new Map() })

/** @throws where it is no sink */
export const entriesOn = ({ bytes }: SinkDisk): SinkEntry[] =>
  new TextDecoder()
    .decode(bytes)
    .split('\n')
    .flatMap(line => (line === '' ? [] : [parseSinkLine(line)]))

/** Where a sink in memory writes, how fast, and when not. */
export interface MemorySinkParts {
  readonly name: string
  readonly clock: ProcessClock
  readonly disk: SinkDisk
  /** How long the disk takes for a line. */
  readonly delay: () => Seconds
  /** After which share of a line the disk takes a while; by default after all of it. */
  readonly pausesAt?: () => number
  /** Why it takes none now. */
  readonly refuses: () => string | undefined
  /** A second line was asked for of a datum that has one. */
  readonly duplicate?: (entry: SinkEntry) => void
}

const AGAIN: Seconds = seconds(0.5)

/** Keeps the contract of a sink in memory: lines in the order of `write`, each datum once, none lost while the disk refuses. */
export class MemorySink implements Sink {
  readonly name: string
  readonly #parts: MemorySinkParts
  readonly #known = new Map<string, Map<number, Recorded>>()
  readonly #asked = new Set<string>()
  /** What was there has been read; a line that was torn is gone. */
  readonly opened: Promise<void>
  #tail: Promise<unknown>
  #stuck: { readonly because: string; readonly tries: number } | undefined
  #isStopped = false

  constructor(parts: MemorySinkParts) {
    this.#parts = parts
    this.name = parts.name
    this.opened = this.#open()
    this.#tail = this.opened
  }

  async #open(): Promise<void> {
    const { disk } = this.#parts
    const { bytes, stamps } = disk
    const file = { read: async (from: number, length: number) => bytes.subarray(from, from + length) }
    const { length } = await recoverSink(file, { from: 0, size: bytes.byteLength }, entry =>
      this.#record(entry, stamps.get(keyOf(entry)))
    )
    disk.bytes = bytes.slice(0, length)
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#known.get(source) ?? new Map()
  }

  has(source: string, datum: number): boolean {
    return this.recorded(source).has(datum)
  }

  counts(source: string): RecordedCounts {
    const kinds = [...this.recorded(source).values()].map(({ kind }) => kind)
    const count = (kind: Recorded['kind']): number => kinds.filter(each => each === kind).length
    const noItems = count('noItem')
    return { results: count('result'), failed: count('failed') + noItems, noItems, dropped: count('dropped') }
  }

  async write(entry: SinkEntry, stamp?: string): Promise<'written' | 'duplicate'> {
    if (this.#isStopped) throw new NotWritten(`${this.name} was stopped`)
    const known = this.recorded(entry.source).get(entry.datum)
    const key = keyOf(entry)
    const mayFollow = known?.kind === 'noItem' && !isNoItem(entry)
    if ((known !== undefined && !mayFollow) || this.#asked.has(key)) {
      this.#parts.duplicate?.(entry)
      return 'duplicate'
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
    const { clock, disk, delay, refuses, pausesAt = () => 1 } = this.#parts
    await clock.sleep(delay())
    for (let because = refuses(); because !== undefined; because = refuses()) {
      if (this.#isStopped) throw new NotWritten(`${this.name}: ${because}`)
      this.#stuck = { because, tries: (this.#stuck?.tries ?? 0) + 1 }
      await clock.sleep(AGAIN)
    }
    this.#stuck = undefined
    const line = new TextEncoder().encode(sinkLine(entry))
    const at = Math.floor(pausesAt() * line.byteLength)
    if (stamp !== undefined) disk.stamps.set(keyOf(entry), stamp)
    // The process may be killed within the line, or after it: then it is on the disk, and nobody was told.
    for (const piece of [line.subarray(0, at), line.subarray(at)]) {
      disk.bytes = concatBytes([disk.bytes, piece])
      await clock.sleep(delay())
    }
    this.#record(entry, stamp)
  }

  #record(entry: SinkEntry, stamp: string | undefined): void {
    const { source, datum, item } = entry
    const known = this.#known.get(source) ?? new Map<number, Recorded>()
    this.#known.set(
      source,
      known.set(datum, { item, kind: recordedKindOf(entry), ...(stamp === undefined ? {} : { stamp }) })
    )
  }
}

const keyOf = ({ source, datum }: SinkEntry): string => `${source} ${datum}`
