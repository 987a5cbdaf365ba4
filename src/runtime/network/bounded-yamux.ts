import type { TLSSocket } from 'node:tls'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { pooledBytes } from './pooled-bytes.ts'
import { readStraight, straightConsumer } from './straight-reading.ts'
import { carrierOf, writeStraight } from './straight-writing.ts'
import { dataHeader } from './yamux-data-header.ts'
import { type YamuxHeader, YamuxReader } from './yamux-reader.ts'

const MIB = 2 ** 20

/** Both sides are ours, so both begin with the window that an activation fits in, instead of growing to it. */
const WINDOW = 4 * MIB
const MAX_WINDOW = 8 * MIB

/** What a peer may send over a connection before it is admitted: some handshakes' worth. */
const UNADMITTED_BYTES = 128 * 1024

type Muxer = StreamMuxer & {
  onData(data: Uint8Array | Uint8ArrayList): void
  abort(error: Error): void
  handleFrame(frame: { readonly header: YamuxHeader; readonly data?: Uint8ArrayList }): void
  /** Of the library: makes the streams of both directions. */
  _newStream?(...parts: readonly unknown[]): Stream & YamuxStream
}

/** What the library keeps of a stream's window; all optional, for it may be named otherwise in another version. */
interface YamuxStream {
  readonly streamId?: number
  readonly state?: number
  readonly recvWindow?: number
  recvWindowCapacity?: number
  /** Bytes that the other side has room for. */
  sendWindowCapacity?: number
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
const tuneStreams = (muxer: Muxer, connection: MessageStream): void => {
  const newStream = muxer._newStream?.bind(muxer)
  if (newStream === undefined) return
  muxer._newStream = (...parts) => {
    const stream = newStream(...parts)
    const socket = carrierOf(connection)
    if (socket !== undefined) writePast(stream, connection, socket)
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

const bound = (muxer: Muxer, connection: MessageStream): void => {
  let allowance = UNADMITTED_BYTES
  admit.set(muxer.streams, () => {
    allowance = Number.POSITIVE_INFINITY
  })
  const reader = new YamuxReader({
    onFrame: header => muxer.handleFrame(header.type === 0 ? { header, data: new Uint8ArrayList() } : { header }),
    onData: (header, piece) => onData(muxer, header, piece),
    most: MAX_WINDOW
  })
  const take = (piece: Uint8Array): void => {
    allowance -= piece.byteLength
    if (allowance < 0) throw new Error(`more than ${UNADMITTED_BYTES} B came before admission`)
    reader.feed(piece)
  }
  muxer.onData = data => {
    if (data instanceof Uint8Array) take(data)
    else for (const piece of data) take(piece)
  }
  readStraight(connection, piece => {
    try {
      take(piece)
    } catch (error) {
      // As the library does where its event was listened to.
      muxer.abort(error as Error)
      connection.abort(error as Error)
    }
  })
}

/** Past the library's queues, where nothing stands in them and the other side has room. */
const writePast = (stream: Stream & YamuxStream, connection: MessageStream, socket: TLSSocket): void =>
  writeStraight(stream, (pieces, size) => {
    const { state, streamId, writeStatus, writeBufferLength, sendWindowCapacity: room = 0 } = stream
    if (state !== ESTABLISHED || streamId === undefined || writeStatus !== 'writable') return undefined
    if (writeBufferLength > 0 || connection.writeBufferLength > 0 || room < size || socket.destroyed) return undefined
    stream.sendWindowCapacity = room - size
    return new Promise((resolve, reject) => {
      const taken = (error?: Error | null): void => (error ? reject(error) : resolve())
      if (size <= SMALL) {
        socket.write(inOne(dataHeader(streamId, size), pieces, size), taken)
        return
      }
      socket.cork()
      socket.write(dataHeader(streamId, size))
      for (const piece of pieces.slice(0, -1)) socket.write(piece)
      socket.write(pieces.at(-1)!, taken)
      socket.uncork()
    })
  })

/** Bytes that cost less to be copied than to be written as several pieces. */
const SMALL = 2048

const inOne = (header: Uint8Array, pieces: readonly Uint8Array[], size: number): Uint8Array => {
  const whole = pooledBytes(header.byteLength + size)
  whole.set(header)
  let at = header.byteLength
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}

/** To whoever takes it as it comes, within the window; otherwise as the library does. */
const onData = (muxer: Muxer, header: YamuxHeader, piece: Uint8Array): void => {
  const { streamID, flag, length } = header
  const stream = flag === 0 ? streamOf(muxer, streamID) : undefined
  const consume = stream === undefined ? undefined : straightConsumer(stream)
  const { recvWindowCapacity: room } = stream ?? {}
  if (consume === undefined || room === undefined || room < length) {
    muxer.handleFrame({ header, data: new Uint8ArrayList(piece.slice()) }) // it is kept
    return
  }
  stream!.recvWindowCapacity = room - length
  consume(piece)
  stream!.sendWindowUpdate?.()
}

const streamOf = ({ streams }: Muxer, id: number): (Stream & YamuxStream) | undefined =>
  (streams as readonly (Stream & YamuxStream)[]).find(({ streamId }) => streamId === id)

/** Yamux that lets nobody fill our memory: little before admission, no frame longer than the largest window; and reads straight. */
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
      bound(muxer as unknown as Muxer, connection)
      tuneStreams(muxer as unknown as Muxer, connection)
      return muxer
    }
  }
}

/** Lift the limit on what the other side may send: it proved the cluster key. */
export const liftLimit = (connection: Connection): void => admit.get(connection.streams)?.()
