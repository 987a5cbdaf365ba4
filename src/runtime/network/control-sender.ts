import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Control } from '../generated/tributary/v1/wire_pb.ts'
import { writeControl } from '../generated/tributary/v1/wire_straight.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import { sleepUntil } from '../sleep-until.ts'
import { BackwardWriter } from './backward-writer.ts'
import { CONTROL_TRAFFIC } from './control-traffic.ts'
import { sendPieces } from './send-pieces.ts'

export interface ControlSenderParts {
  readonly clock: Clock
  readonly shaper: () => LinkShaper | undefined
  readonly stream: () => Promise<Stream>
}

/** Messages that wait to be sent to one peer; when more would, they are dropped. */
const CAPACITY = 10_000

interface Waiting {
  readonly bytes: Uint8Array
  readonly at: Seconds
}

const writer = new BackwardWriter()

export const encodeControl = (id: bigint, body: Control['body']): Uint8Array => {
  writer.begin()
  writeControl(writer, { $typeName: 'tributary.v1.Control', id, body })
  writer.fixed32(writer.size)
  return writer.finish()
}

const kindOf = (body: Control['body']): string => {
  const isParted = body.case === 'notice' || body.case === 'request' || body.case === 'reply'
  return isParted ? `${body.case}.${body.value.body.case ?? 'empty'}` : (body.case ?? 'empty')
}

/** Small messages to one peer, in order. A shaped link delays them by its latency, never behind its tensors. */
export class ControlSender {
  readonly #parts: ControlSenderParts
  readonly #waiting: Waiting[] = []
  #running = false
  #written: Promise<void> = Promise.resolve()
  #life = new AbortController()

  constructor(parts: ControlSenderParts) {
    this.#parts = parts
  }

  /** Whether earlier messages wait to be written; not those that are on their way through a shaped link's latency. */
  get busy(): boolean {
    const [next] = this.#waiting
    return next !== undefined && next.at <= this.#parts.clock.now()
  }

  /** Resolves when the stream has taken what waits now. */
  written(): Promise<void> {
    return this.#written
  }

  /** @returns false when the message was dropped */
  send(id: bigint, body: Control['body']): boolean {
    if (this.#waiting.length >= CAPACITY) return false
    const bytes = encodeControl(id, body)
    if (CONTROL_TRAFFIC.hasSubscribers) CONTROL_TRAFFIC.publish({ kind: kindOf(body), bytes: bytes.byteLength })
    const delay = this.#parts.shaper()?.latency ?? 0
    this.#waiting.push({ bytes, at: seconds(this.#parts.clock.now() + delay) })
    if (!this.#running) this.#written = this.#run()
    return true
  }

  /** What waits is dropped; later messages are tried again. */
  clear(): void {
    this.#waiting.length = 0
    this.#life.abort(new Error('cleared'))
    this.#life = new AbortController()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      let due = 1
      try {
        if (next.at > this.#parts.clock.now()) await sleepUntil(this.#parts.clock, next.at, this.#life.signal)
        const stream = await this.#parts.stream()
        if (this.#waiting[0] !== next) continue
        const pieces = this.#due()
        due = pieces.length
        await sendPieces(stream, pieces, Number.POSITIVE_INFINITY)
      } catch {
        // At most once: messages that the stream did not take are gone, like those that were in it.
      }
      if (this.#waiting[0] === next) this.#waiting.splice(0, due)
    }
    this.#running = false
  }

  /** The first message and those behind it whose time has come: together they are one write to the socket. */
  #due(): readonly Uint8Array[] {
    const now = this.#parts.clock.now()
    const due: Uint8Array[] = []
    for (const { bytes, at } of this.#waiting) {
      if (due.length > 0 && at > now) break
      due.push(bytes)
    }
    return due
  }
}
