import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import type { Seconds } from '../../core/units.ts'
import { FrameError } from './frame-parser.ts'
import { resumed } from './resumed.ts'
import { readStraight } from './straight-reading.ts'

export interface InletParts {
  readonly clock: Clock
  /** A parser's `feed`. */
  readonly feed: (piece: Uint8Array) => void
  /** Asked after each piece: so long nothing more is read, and the sender has to wait. */
  readonly rest: () => Seconds
  readonly heard: () => void
  /** The peer broke the protocol; its stream is reset when this is done, and nothing is fed any more. */
  readonly onBroken: (error: FrameError) => Promise<void>
  /** The stream is over, for whatever reason. */
  readonly onEnd: (error: Error) => void
}

/** Feeds what comes in on a long-lived stream to a parser, no faster than it may be, and resets the stream at the first breach of protocol. */
export const readInto = (stream: Stream, parts: InletParts): void => {
  const { heard, onEnd } = parts
  const inlet = new Inlet(stream, parts)
  readStraight(stream, piece => {
    heard()
    inlet.takeOne(piece)
  })
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    heard()
    inlet.take(data instanceof Uint8Array ? [data] : data)
  })
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}))
  stream.addEventListener('close', (event: StreamCloseEvent) => {
    inlet.isOver = true
    onEnd(event.error ?? new Error('the stream ended'))
  })
}

class Inlet {
  isOver = false
  readonly #stream: Stream
  readonly #parts: InletParts
  /** At most a window of the stream: while it rests, the sender gets no other. */
  #waiting: Uint8Array[] = []
  #isResting = false

  constructor(stream: Stream, parts: InletParts) {
    this.#stream = stream
    this.#parts = parts
  }

  take(pieces: Iterable<Uint8Array>): void {
    for (const piece of pieces) this.#waiting.push(piece)
    if (!this.#isResting) this.#work()
  }

  takeOne(piece: Uint8Array): void {
    if (this.#isResting || this.#waiting.length > 0) {
      this.take([piece.slice()])
    } else if (!this.isOver) {
      this.#feed(piece)
      const rest = this.#parts.rest()
      if (rest > 0) this.#rest(rest)
    }
  }

  #work(): void {
    const pieces = this.#waiting
    this.#waiting = []
    for (const [i, piece] of pieces.entries()) {
      if (this.isOver) return
      this.#feed(piece)
      const rest = this.#parts.rest()
      if (rest > 0) {
        this.#waiting = pieces.slice(i + 1)
        this.#rest(rest)
        return
      }
    }
  }

  #feed(piece: Uint8Array): void {
    try {
      this.#parts.feed(piece)
    } catch (error) {
      const breach = error instanceof FrameError ? error : new FrameError('malformed', String(error))
      this.isOver = true
      void this.#parts.onBroken(breach).finally(() => this.#stream.abort(breach))
    }
  }

  #rest(rest: Seconds): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#isResting = true
    const goOn = (): void => {
      this.#isResting = false
      this.#work()
      if (!this.#isResting) resumed(this.#stream)
    }
    this.#parts.clock.sleep(rest).then(goOn, () => {})
  }
}
