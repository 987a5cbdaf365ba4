import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { NotWritten } from '../ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../ports/sink.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'
import { boundedLine } from './bounded-line.ts'
import type { LineStream, LineTarget } from './line-target.ts'
import { RecordedData, recordedKindOf } from './recorded-data.ts'

export interface StreamSinkParts {
  readonly target: LineTarget
  /** As `openSink`. */
  readonly isLive?: ((source: string) => boolean) | undefined
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

const FIRST_PAUSE: Seconds = seconds(0.05)
const LONGEST_PAUSE: Seconds = seconds(1)
/** So long may a reader take for what was accepted, once the sink is stopped. */
const LAST_WORDS: Seconds = seconds(2)

/**
 * Lines to whoever reads them: nothing is kept, so that another run does everything again. A reader that is slow, or not
 * there yet, makes sources wait. Of a line that a reader left in its midst, the next reader gets all.
 */
export class StreamSink implements Sink {
  readonly name: string
  readonly #parts: StreamSinkParts
  readonly #done: RecordedData
  readonly #stopping = new AbortController()
  /** Taken by `write`, and not by the target yet. */
  readonly #accepted = new Set<string>()
  #state: SinkState = { kind: 'open' }
  #stream: LineStream | undefined
  #tail: Promise<unknown> = Promise.resolve()
  /** Rejects when patience with the reader has ended. */
  readonly #over = deferred<never>()
  #isOver = false
  #unwritten = 0

  constructor(parts: StreamSinkParts) {
    this.#parts = parts
    this.name = parts.target.name
    this.#done = new RecordedData(parts.isLive)
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#done.of(source)
  }

  has(source: string, datum: number): boolean {
    return this.#done.has(source, datum)
  }

  counts(source: string): RecordedCounts {
    return this.#done.counts(source)
  }

  state(): SinkState {
    return this.#state
  }

  async write(entry: SinkEntry, stamp?: string): Promise<'written' | 'duplicate'> {
    if (this.#stopping.signal.aborted) throw new UserError(`sink ${this.name}: has been closed`)
    const key = `${entry.datum}@${entry.source}`
    if (this.#done.knows(entry) || this.#accepted.has(key)) return 'duplicate'
    this.#accepted.add(key)
    const bounded = boundedLine(entry)
    const sent = this.#tail.then(() => this.#send(bounded))
    this.#tail = sent.catch(() => {})
    try {
      await sent
    } finally {
      this.#accepted.delete(key)
    }
    const { source, datum, item } = entry
    this.#done.put(source, datum, {
      item,
      kind: recordedKindOf(bounded.entry),
      ...(stamp === undefined ? {} : { stamp })
    })
    return 'written'
  }

  readonly #stop = stopOnce(async () => {
    const { clock, say } = this.#parts
    this.#stopping.abort()
    const patience = new AbortController()
    const late = clock.sleep(LAST_WORDS, { signal: patience.signal }).catch(() => {})
    await Promise.race([this.#tail, late])
    patience.abort()
    this.#isOver = true
    this.#over.reject(new Error('its reader is too slow'))
    await this.#tail
    await this.#stream?.close().catch(() => {})
    if (this.#unwritten > 0) say(`sink ${this.name}: ${this.#unwritten} results were not read by anybody`, 'warn')
    this.#state = { kind: 'stopped' }
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  /** Until all of it is taken, or the sink is stopped. */
  async #send({ entry, line: text }: ReturnType<typeof boundedLine>): Promise<void> {
    const line = new TextEncoder().encode(text)
    let taken = 0
    for (let tries = 1, pause = FIRST_PAUSE; ; tries++, pause = seconds(Math.min(2 * pause, LONGEST_PAUSE))) {
      if (this.#state.kind === 'failed') throw this.#broken(this.#state.because)
      const isLast = this.#stopping.signal.aborted
      try {
        this.#stream ??= await this.#parts.target.open()
        while (taken < line.byteLength)
          taken += await Promise.race([this.#stream.write(line.subarray(taken)), this.#over.promise])
        this.#unstuck()
        return
      } catch (error) {
        if (isGone(error)) taken = await this.#leave(error)
        this.#stuck(describe(error), tries)
        if (isLast || this.#isOver) {
          this.#unwritten++
          throw new NotWritten(`sink ${this.name}: ${entry.item} was not written: ${describe(error)}`)
        }
      }
      await this.#parts.clock.sleep(pause, { signal: this.#stopping.signal }).catch(() => {})
    }
  }

  /** The reader is gone, with what it had of the line. @throws where there will be no other */
  async #leave(error: unknown): Promise<0> {
    await this.#stream?.close().catch(() => {})
    this.#stream = undefined
    if (this.#parts.target.mayReopen || this.#stopping.signal.aborted) return 0
    const because = describe(error)
    this.#state = { kind: 'failed', because }
    throw this.#broken(because)
  }

  #broken(because: string): InvariantError {
    return new InvariantError(`sink ${this.name}: ${because}`)
  }

  #stuck(because: string, tries: number): void {
    const before = this.#state
    this.#state = { kind: 'stuck', because, tries }
    if (before.kind === 'stuck' && before.because === because) return
    this.#parts.say(`sink ${this.name}: ${because}; sources wait, nothing is lost`, 'warn')
  }

  #unstuck(): void {
    if (this.#state.kind === 'stuck') this.#parts.say(`sink ${this.name}: can be written again`)
    this.#state = { kind: 'open' }
  }
}

const GONE: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'ENXIO', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']

const isGone = (error: unknown): boolean => GONE.includes((error as NodeJS.ErrnoException).code)

const describe = (error: unknown): string => (isGone(error) ? 'nobody reads it' : describeFileError(error))
