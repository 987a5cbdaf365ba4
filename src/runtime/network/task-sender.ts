import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type Deferred, deferred } from '../../core/deferred.ts'
import { Serial } from '../../core/serial.ts'
import { bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Frame, PolicyReport } from '../generated/tributary/v1/wire_pb.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import { NetworkError, type Sending, type Sent, type TaskAnswer } from '../ports/network.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import { type EncodedFrame, encodeFrame } from './encode-frame.ts'
import type { FrameLimits } from './frame-limits.ts'
import type { LinkMeter } from './link-meter.ts'
import { sendPieces } from './send-pieces.ts'

export interface TaskSenderParts {
  readonly clock: Clock
  readonly limits: FrameLimits
  readonly meter: LinkMeter
  /** Of the link to this peer, asked for each frame; undefined where the real link alone counts. */
  readonly shaper: () => LinkShaper | undefined
  /** The open stream to the peer, opened if need be. */
  readonly stream: () => Promise<Stream>
  /** Drop the stream: what was half sent must not be read on. */
  readonly drop: (error: Error) => void
}

interface Outgoing {
  readonly id: bigint
  readonly frame: EncodedFrame
  readonly written: Deferred<Sent>
  readonly answered: Deferred<TaskAnswer>
  started: Seconds | undefined
  /** How long a shaped link was taken for it. */
  took: Seconds | undefined
}

/**
 * Frames to one peer, first in, first out, and the answers that come back. The queue has no bound of its own: whoever
 * sends waits for `written`, and owns the tensors until then.
 */
export class TaskSender {
  readonly #parts: TaskSenderParts
  readonly #queue: Outgoing[] = []
  /** Begun, and not answered yet. */
  readonly #flying = new Map<bigint, Outgoing>()
  #next = 1n
  #running = false
  /** Frames that left a shaped link and are on their way through its latency; replaced when all is lost. */
  #delivery = new Serial()
  #life = new AbortController()

  constructor(parts: TaskSenderParts) {
    this.#parts = parts
  }

  /** Nothing waits, and nothing is on its way. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#flying.size === 0
  }

  /** Frames so far. */
  get begun(): number {
    return Number(this.#next)
  }

  send(body: Frame['body'], tensors: readonly WireTensor[], report?: PolicyReport): Sending {
    const written = deferred<Sent>()
    const answered = deferred<TaskAnswer>()
    const sending = { written: written.promise, answered: answered.promise }
    try {
      const id = this.#next++
      const frame = encodeFrame(id, body, tensors, report, this.#parts.limits)
      this.#queue.push({ id, frame, written, answered, started: undefined, took: undefined })
      if (!this.#running) void this.#run()
    } catch (error) {
      written.reject(error as Error)
      answered.reject(error as Error)
    }
    return sending
  }

  /** The peer's answer to a frame. @returns false when no such frame was ever sent: the peer makes it up */
  answer(of: bigint, answer: TaskAnswer): boolean {
    const outgoing = this.#flying.get(of)
    if (outgoing === undefined) return of > 0n && of < this.#next // an answer to what was given up is merely late
    this.#flying.delete(of)
    const { clock, meter } = this.#parts
    const { frame, started, took } = outgoing
    if (took !== undefined) meter.passed(frame.size, took, clock.now())
    else if (started !== undefined) meter.answered(frame.size, started, clock.now())
    outgoing.answered.resolve(answer)
    return true
  }

  /** Everything that is queued or unanswered is lost. Later frames are tried again, on a new stream. */
  fail(error: NetworkError): void {
    const lost = [...this.#flying.values(), ...this.#queue.splice(0)]
    this.#flying.clear()
    this.#life.abort(error)
    this.#life = new AbortController()
    this.#delivery = new Serial()
    if (lost.length > 0) this.#parts.drop(error)
    for (const outgoing of lost) this.#reject(outgoing, error)
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let outgoing = this.#queue.shift(); outgoing !== undefined; outgoing = this.#queue.shift()) {
      this.#flying.set(outgoing.id, outgoing)
      try {
        await this.#pass(outgoing, this.#life.signal)
      } catch (error) {
        this.#reject(outgoing, error)
      }
    }
    this.#running = false
  }

  /** Through the link, shaped or not, until it is free for the next frame. */
  async #pass(outgoing: Outgoing, life: AbortSignal): Promise<void> {
    const { clock, shaper, meter } = this.#parts
    const size = bytes(outgoing.frame.size)
    const link = shaper()
    if (link === undefined) {
      await this.#write(outgoing, life)
      outgoing.written.resolve({ bytes: size, starts: outgoing.started!, departs: clock.now() })
    } else {
      const { starts, departs, arrives } = await link.pass(size)
      outgoing.took = seconds(departs - starts)
      meter.taken(outgoing.took)
      life.throwIfAborted()
      outgoing.started = starts
      const delivered = this.#delivery.run(() => this.#write(outgoing, life, () => link.until(arrives, life)))
      delivered.catch(error => this.#reject(outgoing, error))
      await link.until(departs, life)
      outgoing.written.resolve({ bytes: size, starts, departs })
    }
  }

  /**
   * @param arrival when the last byte may be sent, on a shaped link. The others are at the receiver by then, who waits
   *   for the whole: what it really takes to send them is part of the time that the link is given, not added to it.
   */
  async #write(outgoing: Outgoing, life: AbortSignal, arrival?: () => Promise<void>): Promise<void> {
    const { clock, meter, stream: open } = this.#parts
    const { pieces, size } = outgoing.frame
    const stream = await open()
    life.throwIfAborted()
    outgoing.started ??= clock.now()
    if (arrival === undefined) {
      await sendPieces(stream, pieces, meter.chunk())
    } else {
      const { most, last } = withoutLastByte(pieces)
      await sendPieces(stream, most, meter.chunk())
      await arrival()
      await sendPieces(stream, [last], meter.chunk())
    }
    meter.sent(size)
  }

  #reject({ id, written, answered }: Outgoing, cause: unknown): void {
    this.#flying.delete(id)
    const error = cause instanceof NetworkError ? cause : new NetworkError(`the peer was lost: ${cause}`, { cause })
    written.reject(error)
    answered.reject(error)
  }
}

const withoutLastByte = (pieces: readonly Uint8Array[]) => {
  const at = pieces.findLastIndex(({ byteLength }) => byteLength > 0)
  const piece = pieces[at]!
  return { most: [...pieces.slice(0, at), piece.subarray(0, -1)], last: piece.subarray(-1) }
}
