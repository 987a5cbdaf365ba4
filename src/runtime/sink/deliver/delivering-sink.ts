import { appendFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { stopOnce } from '../../../core/stop-once.ts'
import { type Bytes, type Seconds, seconds } from '../../../core/units.ts'
import { UserError } from '../../../core/user-error.ts'
import { NotWritten } from '../../ports/not-written.ts'
import type { Delivery, Recorded, RecordedCounts, Sink, SinkState } from '../../ports/sink.ts'
import type { SinkEntry } from '../../ports/sink-entry.ts'
import { boundedLine } from '../bounded-line.ts'
import { openSink, type SinkOptions } from '../open-sink.ts'
import { Courier } from './courier.ts'
import type { Deliverer } from './deliver.ts'
import { Outbox } from './outbox.ts'

export interface DeliveringSinkOptions extends Pick<SinkOptions, 'clock' | 'say' | 'isLive' | 'openFile' | 'linger'> {
  /** For people: where it delivers to. */
  readonly name: string
  readonly deliverer: Deliverer
  /** Of this sink alone: results wait there for their delivery. */
  readonly folder: string
  /** So much may wait; then sources wait too. */
  readonly backlog: Bytes
}

const SEGMENT = 4 * 1024 * 1024
/** Refused results beyond so many bytes are not kept. */
const MOST_REFUSED = 64 * 1024 * 1024
/** So long may the last deliveries take, once the sink is stopped. */
const LAST_DELIVERIES: Seconds = seconds(5)

/**
 * Each result is on the disk before it is done, and goes from there to whoever wants it, in order, until it is delivered: at
 * least once. Whoever dies in between delivers the last ones again.
 * @throws UserError when the folder cannot be written
 */
export const openDeliveringSink = async (options: DeliveringSinkOptions): Promise<Sink> => {
  const { name, deliverer, folder, backlog, clock, say } = options
  const file = join(folder, 'results.jsonl')
  const { isLive, openFile, linger } = options
  const store = await openSink({
    ...{ file, stateFolder: folder, rotation: { size: SEGMENT }, isPassing: true, clock, say },
    ...(isLive === undefined ? {} : { isLive }),
    ...(openFile === undefined ? {} : { openFile }),
    ...(linger === undefined ? {} : { linger })
  })
  const outbox = await Outbox.open(file)
  return new DeliveringSink({
    name,
    store,
    outbox,
    waiting: await outbox.waiting(),
    folder,
    deliverer,
    backlog,
    clock,
    say
  })
}

interface DeliveringSinkParts extends Pick<DeliveringSinkOptions, 'name' | 'deliverer' | 'folder' | 'backlog'> {
  readonly store: Sink
  readonly outbox: Outbox
  readonly waiting: number
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

class DeliveringSink implements Sink {
  readonly name: string
  readonly #parts: DeliveringSinkParts
  readonly #courier: Courier
  readonly #running: Promise<void>
  /** Bytes of results whose write has returned. */
  #waiting: number
  #room: (() => void)[] = []
  #isStopped = false
  #refused = 0
  #hasSaidLost = false

  constructor(parts: DeliveringSinkParts) {
    this.name = parts.name
    this.#parts = parts
    this.#waiting = parts.waiting
    if (parts.waiting > 0) this.#say(`${parts.waiting} bytes of results of an earlier run are delivered first`)
    this.#courier = new Courier({
      ...{ outbox: parts.outbox, deliverer: parts.deliverer, clock: parts.clock },
      setAside: (lines, because) => this.#setAside(lines, because),
      written: () => this.#waiting,
      gone: bytes => this.#gone(bytes),
      say: (text, level) => this.#say(text, level)
    })
    this.#running = this.#courier.run()
  }

  recorded(source: string): ReadonlyMap<number, Recorded> {
    return this.#parts.store.recorded(source)
  }

  has(source: string, datum: number): boolean {
    return this.#parts.store.has(source, datum)
  }

  counts(source: string): RecordedCounts {
    return this.#parts.store.counts(source)
  }

  state(): SinkState {
    const state = this.#parts.store.state()
    if (state.kind !== 'open' || !this.#isFull) return state
    const { backlog } = this.#parts
    return {
      kind: 'stuck',
      because: `${this.#courier.trouble ?? 'is slow'}; ${backlog} bytes wait on the disk, the limit`,
      tries: 1
    }
  }

  deliveries(): readonly Delivery[] {
    return [{ to: this.name, waiting: this.#waiting, because: this.#courier.trouble ?? '' }]
  }

  async write(entry: SinkEntry, stamp?: string): Promise<'written' | 'duplicate'> {
    while (this.#isFull && !this.#isStopped) await new Promise<void>(resolve => this.#room.push(resolve))
    if (this.#isStopped) throw this.#closed(entry)
    const outcome = await this.#parts.store.write(entry, stamp)
    if (outcome === 'duplicate') return outcome
    this.#waiting += Buffer.byteLength(boundedLine(entry).line)
    this.#courier.call()
    return outcome
  }

  readonly #stop = stopOnce(async () => {
    const { store, deliverer, clock } = this.#parts
    this.#isStopped = true
    this.#letIn()
    await store.stop()
    this.#courier.finish()
    const over = new AbortController()
    const late = clock.sleep(LAST_DELIVERIES, { signal: over.signal }).then(
      () => this.#courier.stop(),
      () => {}
    )
    await this.#running
    over.abort()
    await late
    await deliverer.close()
    const left = await this.#parts.outbox.waiting()
    if (left > 0) this.#say(`${left} bytes of results are not delivered; the next start does that`, 'warn')
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  get #isFull(): boolean {
    return this.#waiting >= this.#parts.backlog
  }

  #closed(entry: SinkEntry): UserError {
    return this.#isFull
      ? new NotWritten(`sink ${this.name}: ${entry.item} was not written: too much waits for its delivery`)
      : new UserError(`sink ${this.name}: has been closed`)
  }

  #gone(bytes: number): void {
    this.#waiting -= bytes
    if (!this.#isFull) this.#letIn()
  }

  #letIn(): void {
    for (const enter of this.#room.splice(0)) enter()
  }

  /** Beside those that wait, for people to look at. */
  async #setAside(lines: readonly string[], because: string): Promise<void> {
    const file = join(this.#parts.folder, 'refused.jsonl')
    const size = await stat(file).then(
      stats => stats.size,
      () => 0
    )
    const isKept = size < MOST_REFUSED
    if (isKept) await appendFile(file, lines.map(line => `${line}\n`).join(''), { mode: 0o600 })
    const isNews = this.#refused === 0 || (!isKept && !this.#hasSaidLost)
    this.#hasSaidLost ||= !isKept
    if (isNews) this.#say(`${because}; ${isKept ? `kept in ${file}` : `lost, ${file} is full`}`, 'warn')
    this.#refused += lines.length
  }

  #say(text: string, level?: 'warn'): void {
    this.#parts.say(`sink ${this.name}: ${text}`, level)
  }
}
