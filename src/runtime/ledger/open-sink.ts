import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { lockFile } from './lock-file.ts'
import { recoverSink } from './recover-sink.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from './sink.ts'
import { outcomeOf, type SinkEntry, sinkLine } from './sink-entry.ts'
import { type OpenSinkFile, openSinkFile, type SinkFile } from './sink-file.ts'

export interface SinkOptions {
  readonly file: string
  readonly clock: Clock
  /** For people: one line. */
  readonly say: (text: string) => void
  /** Results that come within this time share one sync of the disk. @default 20 ms */
  readonly linger?: Seconds
  /** The disk. */
  readonly openFile?: OpenSinkFile
}

const LINGER: Seconds = seconds(0.02)
const FIRST_PAUSE: Seconds = seconds(0.2)
const LONGEST_PAUSE: Seconds = seconds(5)
/** A disk that has not even room for this is full. */
const PROBE = new Uint8Array(4096).fill(32)

/** @throws UserError when it cannot be written, belongs to another process, or is a file of something else */
export const openSink = async (options: SinkOptions): Promise<Sink> => {
  const { file, openFile = openSinkFile, say } = options
  const what = `--sink ${file}`
  const opened = await openFile(file).catch(error => {
    throw new UserError(`${what}: ${describeFileError(error)}; give a file that can be written`)
  })
  let unlock: (() => Promise<void>) | undefined
  try {
    const real = join(await realpath(dirname(file)), basename(file))
    unlock = await lockFile(`${real}.lock`, what)
    const sink = new FileSink(options, opened, unlock)
    const { length, torn } = await recoverSink(opened, entry => sink.remember(entry))
    // Not before the file is known to be a sink: up to here nothing was changed.
    await opened.write(PROBE, length)
    await opened.sync()
    await opened.truncate(length)
    sink.length = length
    if (torn > 0) say(`${what}: a line that was not written to its end was cut off (${torn} bytes)`)
    return sink
  } catch (error) {
    await unlock?.()
    await opened.close()
    if (error instanceof UserError) throw error
    throw new UserError(`${what}: ${describeFileError(error)}; give a file that can be written, or a new one`)
  }
}

interface Waiting {
  readonly entry: SinkEntry
  readonly resolve: (outcome: 'written') => void
  readonly reject: (error: Error) => void
}

class FileSink implements Sink {
  readonly file: string
  /** Bytes of the file that count; whatever is behind them is overwritten. */
  length = 0
  readonly #clock: Clock
  readonly #say: (text: string) => void
  readonly #linger: Seconds
  readonly #disk: SinkFile
  readonly #unlock: () => Promise<void>
  readonly #recorded = new Map<string, Map<number, Recorded>>()
  readonly #counts = new Map<string, Record<Recorded['kind'], number>>()
  /** Accepted and not yet on the disk. */
  readonly #accepted = new Set<string>()
  readonly #stopping = new AbortController()
  #queue: Waiting[] = []
  #flushing: Promise<void> | undefined
  #state: SinkState = { kind: 'open' }

  constructor({ file, clock, say, linger = LINGER }: SinkOptions, disk: SinkFile, unlock: () => Promise<void>) {
    this.file = file
    this.#clock = clock
    this.#say = say
    this.#linger = linger
    this.#disk = disk
    this.#unlock = unlock
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#of(source)
  }

  counts(source: string): RecordedCounts {
    const { result = 0, skipped = 0, failed = 0 } = this.#counts.get(source) ?? {}
    return { results: result, skipped, failed }
  }

  state(): SinkState {
    return this.#state
  }

  remember(entry: SinkEntry): void {
    const { source, datum, item } = entry
    const known = this.#of(source)
    if (known.has(datum)) return
    const kind = outcomeOf(entry)
    known.set(datum, { item, kind })
    const counts = this.#counts.get(source) ?? { result: 0, skipped: 0, failed: 0 }
    counts[kind]++
    this.#counts.set(source, counts)
  }

  write(entry: SinkEntry): Promise<'written' | 'twin'> {
    if (this.#stopping.signal.aborted) return Promise.reject(new UserError(`--sink ${this.file}: has been closed`))
    const key = keyOf(entry)
    if (this.recorded(entry.source).has(entry.datum) || this.#accepted.has(key)) return Promise.resolve('twin')
    this.#accepted.add(key)
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  readonly #stop = stopOnce(async () => {
    this.#stopping.abort()
    await this.#flushing
    this.#state = { kind: 'stopped' }
    await this.#disk.close()
    await this.#unlock()
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  #of(source: string): Map<number, Recorded> {
    const known = this.#recorded.get(source) ?? new Map<number, Recorded>()
    this.#recorded.set(source, known)
    return known
  }

  async #flush(): Promise<void> {
    await this.#pause(this.#linger)
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      await this.#append(batch)
    }
    this.#flushing = undefined // in the same turn as the look at the queue: nobody is left behind
  }

  /** Until it is on the disk, or the sink is stopped. */
  async #append(batch: readonly Waiting[]): Promise<void> {
    const data = new TextEncoder().encode(batch.map(({ entry }) => sinkLine(entry)).join(''))
    for (let tries = 1, pause = FIRST_PAUSE; ; tries++, pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))) {
      const last = this.#stopping.signal.aborted
      try {
        // At a fixed place: what a try that failed has left there is overwritten, so no line is there twice.
        await this.#disk.write(data, this.length)
        await this.#disk.sync()
        this.length += data.byteLength
        for (const { entry, resolve } of batch) {
          this.remember(entry)
          this.#accepted.delete(keyOf(entry))
          resolve('written')
        }
        this.#unstuck()
        return
      } catch (error) {
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
    await this.#disk.truncate(this.length).catch(() => {}) // else the next start cuts off what is torn
    const because = describeFileError(error)
    for (const { entry, reject } of batch) {
      this.#accepted.delete(keyOf(entry))
      reject(new UserError(`--sink ${this.file}: ${entry.item} was not written: ${because}`))
    }
  }

  #stuck(because: string, tries: number): void {
    const before = this.#state
    this.#state = { kind: 'stuck', because, tries }
    if (before.kind === 'stuck' && before.because === because) return
    this.#say(`--sink ${this.file}: ${because}; sources wait and writing is tried again, nothing is lost`)
  }

  #unstuck(): void {
    if (this.#state.kind === 'stuck') this.#say(`--sink ${this.file}: can be written again`)
    this.#state = { kind: 'open' }
  }

  async #pause(duration: Seconds): Promise<void> {
    await this.#clock.sleep(duration, { signal: this.#stopping.signal }).catch(() => {})
  }
}

const keyOf = ({ source, datum }: SinkEntry): string => `${datum}@${source}`
