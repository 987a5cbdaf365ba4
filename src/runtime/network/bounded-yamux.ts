import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

const MIB = 2 ** 20

/** Both sides are ours, so both begin with the window that an activation fits in, instead of growing to it. */
const WINDOW = 4 * MIB
const MAX_WINDOW = 8 * MIB

/** What a peer may send over a connection before it is admitted: some handshakes' worth. */
const UNADMITTED_BYTES = 128 * 1024

type Muxer = StreamMuxer & {
  onData(data: Uint8Array | Uint8ArrayList): void
  /** Of the library: makes the streams of both directions. */
  _newStream?(...parts: readonly unknown[]): YamuxStream
  /** Of the library's decoder: bytes of frames that are not whole yet. */
  readonly decoder?: { readonly buffer?: { readonly byteLength: number } }
}

/** What the library keeps of a stream's window; all optional, for it may be named otherwise in another version. */
interface YamuxStream {
  readonly state?: number
  readonly recvWindow?: number
  readonly recvWindowCapacity?: number
  sendWindowUpdate?(): void
}

/** A stream on which both sides have spoken, in the library's count of states. */
const ESTABLISHED = 3

/**
 * The library answers every frame of data with a frame that widens the window by as much: one more TLS record and system
 * call on both sides for each message. As yamux is meant, the window is widened once half of it is used up; until then
 * the sender has the other half.
 *
 * Specification: https://github.com/hashicorp/yamux/blob/master/spec.md
 */
const widenByHalves = (muxer: Muxer): void => {
  const newStream = muxer._newStream?.bind(muxer)
  if (newStream === undefined) return
  muxer._newStream = (...parts) => {
    const stream = newStream(...parts)
    const widen = stream.sendWindowUpdate?.bind(stream)
    if (widen === undefined) return stream
    stream.sendWindowUpdate = () => {
      const { state, recvWindow = 0, recvWindowCapacity = 0 } = stream
      if (state !== ESTABLISHED || recvWindowCapacity <= recvWindow / 2) widen()
    }
    return stream
  }
}

/** By the list of streams, which is one object for a muxer and for its connection. */
const admit = new WeakMap<object, () => void>()

const bound = (muxer: Muxer): void => {
  let allowance = UNADMITTED_BYTES
  admit.set(muxer.streams, () => {
    allowance = Number.POSITIVE_INFINITY
  })
  const onData = muxer.onData.bind(muxer)
  muxer.onData = data => {
    allowance -= data.byteLength
    if (allowance < 0) throw new Error(`more than ${UNADMITTED_BYTES} B came before admission`)
    onData(data)
    // The library waits for the whole of a frame, whatever length it claims, before it looks at the window.
    const held = muxer.decoder?.buffer?.byteLength ?? 0
    if (held > MAX_WINDOW + 64 * 1024) throw new Error(`a frame of more than the window of ${MAX_WINDOW} B came`)
  }
}

/** Yamux that lets nobody fill our memory: little before admission, no frame longer than the largest window. */
export const boundedYamux = (): (() => StreamMuxerFactory) => () => {
  const factory = yamux({
    // Streams that wait for nothing: admission, task, control, identify, ping, gossip, and blobs.
    maxInboundStreams: 64,
    maxOutboundStreams: 256,
    // Liveness and round trips are measured by our own pings.
    enableKeepAlive: false,
    streamOptions: { initialStreamWindowSize: WINDOW, maxStreamWindowSize: MAX_WINDOW, maxReadBufferLength: MAX_WINDOW }
  })()
  return {
    protocol: factory.protocol,
    createStreamMuxer: (connection: MessageStream) => {
      const muxer = factory.createStreamMuxer(connection)
      bound(muxer as unknown as Muxer)
      widenByHalves(muxer as unknown as Muxer)
      return muxer
    }
  }
}

/** Lift the limit on what the other side may send: it proved the cluster key. */
export const liftLimit = (connection: Connection): void => admit.get(connection.streams)?.()
