import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { FrameError } from './frame-parser.ts'

export interface InletParts {
  /** A parser's `feed`. */
  readonly feed: (piece: Uint8Array) => void
  readonly heard: () => void
  /** The peer broke the protocol; its stream is reset when this is done, and nothing is fed any more. */
  readonly onBroken: (error: FrameError) => Promise<void>
  /** The stream is over, for whatever reason. */
  readonly onEnd: (error: Error) => void
}

/** Feeds what comes in on a long-lived stream to a parser, and resets the stream at the first breach of protocol. */
export const readInto = (stream: Stream, { feed, heard, onBroken, onEnd }: InletParts): void => {
  let broken = false
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    heard()
    if (broken) return
    try {
      if (data instanceof Uint8Array) feed(data)
      else for (const piece of data) feed(piece)
    } catch (error) {
      const breach = error instanceof FrameError ? error : new FrameError('malformed', String(error))
      broken = true
      void onBroken(breach).finally(() => stream.abort(breach))
    }
  })
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}))
  stream.addEventListener('close', (event: StreamCloseEvent) => onEnd(event.error ?? new Error('the stream ended')))
}
