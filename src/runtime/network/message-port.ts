import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { NetworkError } from '../ports/network.ts'
import { pooledBytes } from './pooled-bytes.ts'
import { sendPieces } from './send-pieces.ts'

/**
 * A stream read as whole messages, one at a time: [uint32 length, big endian][message]. For short conversations;
 * the stream is paused while more than the wanted bytes wait, so the other side cannot fill our memory.
 */
export interface MessagePort {
  /** The next message. @throws NetworkError when it is longer than `limit`, or the stream ends first */
  read(limit: number): Promise<Uint8Array>
  /** Exactly `size` raw bytes in pieces as they come; `onPiece` may be slow. */
  readRaw(size: number, onPiece: (piece: Uint8Array) => Promise<void>): Promise<void>
  write(message: Uint8Array): Promise<void>
}

/** More than this is not taken from the stream before somebody reads it. */
const HIGH_WATER = 1 << 20

class Inlet {
  readonly #stream: Stream
  readonly #heard: () => void
  #pieces: Uint8Array[] = []
  #size = 0
  #ended: Error | undefined
  #wake: () => void = () => {}

  constructor(stream: Stream, heard: () => void) {
    this.#stream = stream
    this.#heard = heard
    stream.addEventListener('message', this.#onMessage)
    stream.addEventListener('remoteCloseWrite', () => this.#end(new NetworkError('the stream ended')))
    stream.addEventListener('close', (event: StreamCloseEvent) =>
      this.#end(event.error ?? new NetworkError('the stream was closed'))
    )
  }

  #onMessage = ({ data }: StreamMessageEvent): void => {
    this.#heard()
    for (const piece of data instanceof Uint8Array ? [data] : data) {
      this.#pieces.push(piece)
      this.#size += piece.byteLength
    }
    if (this.#size > HIGH_WATER && this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#wake()
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#wake()
  }

  /** Between 1 and `most` bytes, without copying. */
  async take(most: number): Promise<Uint8Array> {
    while (this.#size === 0) {
      if (this.#ended !== undefined) throw this.#ended
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const first = this.#pieces[0]!
    const taken = first.subarray(0, most)
    if (taken.byteLength === first.byteLength) this.#pieces.shift()
    else this.#pieces[0] = first.subarray(most)
    this.#size -= taken.byteLength
    if (this.#size <= HIGH_WATER / 2 && this.#stream.readStatus === 'paused') this.#stream.resume()
    return taken
  }

  async exactly(size: number): Promise<Uint8Array> {
    const whole = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const piece = await this.take(size - at)
      whole.set(piece, at)
      at += piece.byteLength
    }
    return whole
  }
}

/** @param heard called whenever bytes arrive */
export const createMessagePort = (stream: Stream, heard: () => void = () => {}): MessagePort => {
  const inlet = new Inlet(stream, heard)
  return {
    read: async limit => {
      const head = await inlet.exactly(4)
      const length = new DataView(head.buffer).getUint32(0)
      if (length > limit) throw new NetworkError(`a message of ${length} B came where ${limit} B are allowed`)
      return inlet.exactly(length)
    },
    readRaw: async (size, onPiece) => {
      for (let at = 0; at < size; ) {
        const piece = await inlet.take(size - at)
        await onPiece(piece)
        at += piece.byteLength
      }
    },
    write: message => sendPieces(stream, [withLength(message)], message.byteLength + 4)
  }
}

/** The message behind its length, in one piece. */
const withLength = (message: Uint8Array): Uint8Array => {
  const framed = pooledBytes(4 + message.byteLength)
  new DataView(framed.buffer, framed.byteOffset).setUint32(0, message.byteLength)
  framed.set(message, 4)
  return framed
}
