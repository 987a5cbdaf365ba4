type Consumer = (piece: Uint8Array) => void

const consumers = new WeakMap<object, Consumer>()

/**
 * What comes on this stream is given to `consumer` as it comes, by whoever reads below it and asks `straightConsumer`. The library
 * makes an event and two lists of each record of 16 KiB instead, on each of the levels that it passes. A piece is whose it is only until
 * `consumer` returns: its memory is read into again. Its 'message' events
 * tell of the rest: what came while the stream was paused.
 */
export const readStraight = (stream: object, consumer: Consumer): void => {
  consumers.set(stream, consumer)
}

/** Both levels have it; the library's types of a connection do not say so. */
interface Readable {
  readonly readStatus?: string
  readonly readBufferLength: number
}

/** Undefined where what comes has to wait, or goes the library's way. */
export const straightConsumer = (stream: Readable): Consumer | undefined =>
  stream.readStatus === 'readable' && stream.readBufferLength === 0 ? consumers.get(stream) : undefined
