import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { NotWritten } from '../ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../ports/sink.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'
import { boundedLine } from './bounded-line.ts'
import { type DoneRecord, openDoneRecord, type RecordLine } from './done-record.ts'
import { readCopies, readRotated } from './read-rotated.ts'
import { RecordedData, recordedKindOf } from './recorded-data.ts'
import { type OpenSinkFile, openSinkFile } from './sink-file.ts'
import { type Rotation, SinkWriter } from './sink-writer.ts'

export interface SinkOptions {
  readonly file: string
  /** Where the record of what is done is kept, for when the sink is rotated; without it the sink is the only record. */
  readonly stateFolder?: string
  /** @default what others do to the file */
  readonly rotation?: Rotation | undefined
  /** Sources whose data come as long as they run: of each only its line is kept, and no record. @default none */
  readonly isLive?: (source: string) => boolean
  /** Its lines are taken out of it as they are used: that they are gone is no news. */
  readonly isPassing?: boolean
  readonly clock: Clock
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
  /** Results that come within this time share one sync of the disk. @default 20 ms */
  readonly linger?: Seconds
  /** The disk. */
  readonly openFile?: OpenSinkFile
}

const LINGER: Seconds = seconds(0.02)
const FIRST_PAUSE: Seconds = seconds(0.2)
const LONGEST_PAUSE: Seconds = seconds(5)

/** @throws UserError when it cannot be written, belongs to another process, or is a file of something else */
export const openSink = async (options: SinkOptions): Promise<Sink> => {
  const { file, openFile = openSinkFile, rotation, say } = options
  const what = `sink ${file}`
  const disk = await openFile(file).catch(error => {
    throw new UserError(`${what}: ${describeFileError(error)}; give a file that can be written`)
  })
  const memory = new SinkMemory(options.isLive)
  try {
    const lock = await disk.lock(what)
    if (lock.kind === 'noLocks')
      say(`${what}: ${lock.because}, so a second writer is not kept out; see to it that there is none`, 'warn')
    const found = (entry: SinkEntry): void => memory.found(entry)
    const writer = new SinkWriter({ path: file, what, openFile, disk, rotation, found, say })
    const sink = new FileSink(options, writer, memory)
    memory.record = await recordOf(options, line => memory.remembered(line))
    const before = memory.record?.inode
    await writer.open(before)
    // Whatever rotates it finds the file where it is, or the link to it.
    const folders = new Set([await realpath(dirname(file)), disk.folder.path])
    if (before !== undefined && before !== writer.inode)
      for (const folder of folders) await readRotated(folder, before, entry => memory.found(entry))
    const { record } = memory
    if (record !== undefined && before === writer.inode && memory.misses && options.isPassing !== true)
      for (const path of new Set([file, await realpath(file)]))
        await readCopies(path, writer.inode, record.writtenAt, entry => memory.copied(entry))
    memory.tell(what, options.isPassing === true ? () => {} : say)
    await sink.note()
    return sink
  } catch (error) {
    await memory.record?.close()
    await disk.close()
    if (error instanceof UserError) throw error
    throw new UserError(`${what}: ${describeFileError(error)}; give a file that can be written, or a new one`)
  }
}

const recordOf = async ({ stateFolder, file }: SinkOptions, found: (line: RecordLine) => void) =>
  stateFolder === undefined
    ? undefined
    : openDoneRecord({ folder: stateFolder, sink: join(await realpath(dirname(file)), basename(file)), found })

/** What is known from the sink and from the record, and what the record does not know yet. */
class SinkMemory {
  readonly data: RecordedData
  record: DoneRecord | undefined
  readonly #isLive: (source: string) => boolean
  /** Known to the record, and not seen in the sink. */
  #unseen = new Set<string>()
  /** Lines in the sink. */
  #seen = 0
  #news: RecordLine[] = []

  constructor(isLive: (source: string) => boolean = () => false) {
    this.#isLive = isLive
    this.data = new RecordedData(isLive)
  }

  /** Lines that are done are not in the sink: it may have been copied and cut. So it may where it has none at all. */
  get misses(): boolean {
    return this.#unseen.size > 0 || this.#seen === 0
  }

  remembered({ source, datum, item, kind, stamp }: RecordLine): void {
    this.data.put(source, datum, { item, kind, ...(stamp === undefined ? {} : { stamp }) })
    this.#unseen.add(keyOf({ source, datum }))
  }

  /**
   * A line in the sink. Where the record says otherwise of that datum, the sink is right, except that what was no item once
   * and computed later stays computed, wherever that line is.
   */
  found(entry: SinkEntry): void {
    this.#seen++
    const { source, datum, item } = entry
    if (this.#isLive(source)) {
      this.wrote(entry)
      return
    }
    const before = this.data.of(source).get(datum)
    const isFirst = this.#unseen.delete(keyOf(entry)) || before === undefined
    const isSame = before?.item === item && (before.kind === recordedKindOf(entry) || before.kind === 'result')
    if (!isSame && (isFirst || !this.data.knows(entry))) this.wrote(entry)
  }

  /** A line in a copy of the sink: it counts where nothing else is known of its datum. */
  copied(entry: SinkEntry): void {
    if (!this.data.has(entry.source, entry.datum)) this.wrote(entry)
  }

  /** @param isClaimed the record has it */
  wrote(entry: SinkEntry, stamp?: string, isClaimed = false): void {
    const line = recordLineOf(entry, stamp)
    const { source, datum, ...recorded } = line
    this.data.put(source, datum, recorded)
    if (this.record !== undefined && !isClaimed && !this.#isLive(source)) this.#news.push(line)
  }

  /** Say what is done and not in the sink: whoever deleted it to begin anew wants to know. */
  tell(what: string, say: (text: string, level?: 'warn') => void): void {
    if (this.#unseen.size > 0)
      say(
        `${what}: ${this.#unseen.size} data that are done have no line in it any more (rotated or deleted?); ` +
          `to do them again, remove ${this.record?.file} too`,
        'warn'
      )
    this.#unseen = new Set()
  }

  /** Those of which a record is kept. */
  recordable<T extends { readonly entry: SinkEntry }>(batch: readonly T[]): readonly T[] {
    return batch.filter(({ entry }) => !this.#isLive(entry.source))
  }

  takeNews(): RecordLine[] {
    const news = this.#news
    this.#news = []
    return news
  }
}

const recordLineOf = (entry: SinkEntry, stamp: string | undefined): RecordLine => {
  const { source, datum, item } = entry
  return { source, datum, item, kind: recordedKindOf(entry), ...(stamp === undefined ? {} : { stamp }) }
}

interface Waiting {
  readonly entry: SinkEntry
  /** As it stands in the sink. */
  readonly line: string
  readonly stamp: string | undefined
  readonly resolve: (outcome: 'written') => void
  readonly reject: (error: Error) => void
}

class FileSink implements Sink {
  readonly name: string
  readonly #clock: Clock
  readonly #say: (text: string, level?: 'warn') => void
  readonly #linger: Seconds
  readonly #writer: SinkWriter
  readonly #memory: SinkMemory
  /** Accepted and not yet on the disk. */
  readonly #accepted = new Set<string>()
  readonly #stopping = new AbortController()
  #queue: Waiting[] = []
  /** Taken from the queue, and not yet on the disk. */
  #batch: readonly Waiting[] = []
  #flushing: Promise<void> | undefined
  #state: SinkState = { kind: 'open' }
  #recordComplaint = ''
  #unwritten = { results: 0, because: '' }

  constructor({ file, clock, say, linger = LINGER }: SinkOptions, writer: SinkWriter, memory: SinkMemory) {
    this.name = file
    this.#clock = clock
    this.#say = say
    this.#linger = linger
    this.#writer = writer
    this.#memory = memory
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#memory.data.of(source)
  }

  has(source: string, datum: number): boolean {
    return this.#memory.data.has(source, datum)
  }

  counts(source: string): RecordedCounts {
    return this.#memory.data.counts(source)
  }

  state(): SinkState {
    return this.#state
  }

  write(entry: SinkEntry, stamp?: string): Promise<'written' | 'duplicate'> {
    if (this.#stopping.signal.aborted) return Promise.reject(new UserError(`sink ${this.name}: has been closed`))
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const key = keyOf(entry)
    if (this.#memory.data.knows(entry) || this.#accepted.has(key)) return this.#duplicate(entry, stamp)
    this.#accepted.add(key)
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...boundedLine(entry), stamp, resolve, reject })
      this.#startFlush()
    })
  }

  readonly #stop = stopOnce(async () => {
    this.#stopping.abort()
    await this.#flushing
    const { results, because } = this.#unwritten
    if (results > 0)
      this.#say(
        `sink ${this.name}: ${because}; ${results === 1 ? '1 result was' : `${results} results were`} not written, the next start computes what is missing`
      )
    this.#state = { kind: 'stopped' }
    await this.#memory.record?.close()
    await this.#writer.close()
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  /** Bring the record up to what is in the sink: after it, so that nothing is taken for done that is not. */
  async note(): Promise<void> {
    const { record } = this.#memory
    if (record === undefined) return
    try {
      await record.add(this.#memory.takeNews(), this.#writer.inode)
      this.#recordComplaint = ''
    } catch (error) {
      const because = describeFileError(error)
      if (because !== this.#recordComplaint)
        this.#say(
          `state ${record.file}: ${because}; tried again with the next results, the sink alone knows them now`,
          'warn'
        )
      this.#recordComplaint = because
    }
  }

  /** A process that is killed while the disk takes its time has told the record where it was. @returns whether it has */
  async #claim(batch: readonly Waiting[]): Promise<boolean> {
    try {
      await this.#memory.record?.claim(
        this.#memory.recordable(batch).map(({ entry, stamp }) => recordLineOf(entry, stamp))
      )
      return this.#memory.record !== undefined
    } catch {
      return false // `note` says what is wrong with it
    }
  }

  /** No item once more: only what its file looks like may be new. */
  async #duplicate(entry: SinkEntry, stamp: string | undefined): Promise<'duplicate'> {
    const known = this.recorded(entry.source).get(entry.datum)
    if (known?.kind === 'noItem' && stamp !== undefined && stamp !== known.stamp) {
      this.#memory.wrote(entry, stamp)
      this.#startFlush()
    }
    return 'duplicate'
  }

  #startFlush(): void {
    this.#flushing ??= this.#flush().catch(error => this.#break(error))
  }

  /** Not the disk, which may refuse as long as it likes: the writer itself. Whoever waits hears that it is over. */
  #break(error: unknown): void {
    const because = describeFileError(error)
    const broken = new InvariantError(`sink ${this.name}: what writes it has failed: ${because}`, { cause: error })
    this.#broken = broken
    this.#state = { kind: 'failed', because }
    const waiting = [...this.#batch, ...this.#queue]
    this.#queue = []
    for (const { reject } of waiting) reject(broken)
  }
  #broken: InvariantError | undefined

  async #flush(): Promise<void> {
    await this.#pause(this.#linger)
    do {
      const batch = this.#queue
      this.#batch = batch
      this.#queue = []
      if (batch.length > 0) await this.#append(batch)
      this.#batch = []
      await this.note()
    } while (this.#queue.length > 0)
    this.#flushing = undefined // in the same turn as the look at the queue: nobody is left behind
  }

  /** Until it is on the disk, or the sink is stopped. */
  async #append(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 1, pause = FIRST_PAUSE; ; tries++, pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))) {
      const last = this.#stopping.signal.aborted
      try {
        const { inode } = this.#writer
        await this.#writer.settle()
        // Lines of a try that seemed to fail may be there.
        const missing = batch.filter(({ entry }) => !this.#memory.data.knows(entry))
        const lines = new TextEncoder().encode(missing.map(({ line }) => line).join(''))
        await this.#writer.makeRoom(lines.byteLength)
        if (this.#writer.inode !== inode) await this.note() // before it has lines: should it be rotated too, they are found
        let isClaimed = false
        const claim = async (): Promise<void> => {
          isClaimed = await this.#claim(missing)
        }
        if (lines.byteLength > 0) await this.#writer.append(lines, claim)
        for (const { entry, stamp } of missing) this.#memory.wrote(entry, stamp, isClaimed)
        for (const { entry, resolve } of batch) {
          this.#accepted.delete(keyOf(entry))
          resolve('written')
        }
        this.#unstuck()
        return
      } catch (error) {
        await this.#memory.record?.disclaim().catch(() => {})
        this.#stuck(describeFileError(error), tries)
        if (last) {
          await this.#giveUp(batch, error)
          return
        }
      }
      await this.#pause(pause)
    }
  }

  /** These lines are not recorded: their data are computed again next time. */
  async #giveUp(batch: readonly Waiting[], error: unknown): Promise<void> {
    await this.#writer.clean().catch(() => {}) // else the next start cuts off what is torn
    const because = describeFileError(error)
    this.#unwritten = { results: this.#unwritten.results + batch.length, because }
    for (const { entry, reject } of batch) {
      this.#accepted.delete(keyOf(entry))
      reject(new NotWritten(`sink ${this.name}: ${entry.item} was not written: ${because}`))
    }
  }

  #stuck(because: string, tries: number): void {
    const before = this.#state
    this.#state = { kind: 'stuck', because, tries }
    if (before.kind === 'stuck' && before.because === because) return
    this.#say(`sink ${this.name}: ${because}; sources wait and writing is tried again, nothing is lost`, 'warn')
  }

  #unstuck(): void {
    if (this.#state.kind === 'stuck') this.#say(`sink ${this.name}: can be written again`)
    this.#state = { kind: 'open' }
  }

  async #pause(duration: Seconds): Promise<void> {
    await this.#clock.sleep(duration, { signal: this.#stopping.signal }).catch(() => {})
  }
}

const keyOf = ({ source, datum }: Pick<SinkEntry, 'source' | 'datum'>): string => `${datum}@${source}`
