import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import { reuseReads } from './reused-reads.ts'
import { straightConsumer } from './straight-reading.ts'
import { carriedBy } from './straight-writing.ts'

/** What is said through TLS, as libp2p's stream; the other side hears it from `carrier`, which lasts as long as TLS does. */
export class TlsStream extends AbstractMessageStream {
  readonly #socket: TLSSocket
  readonly #carrier: MessageStream
  /** The carrier has closed after TLS has. */
  readonly #over: Promise<void>
  #isReused = false

  constructor(carrier: MessageStream, socket: TLSSocket) {
    const { log, direction, inactivityTimeout, maxReadBufferLength } = carrier
    super({ log, direction, inactivityTimeout, maxReadBufferLength })
    this.#socket = socket
    this.#carrier = carrier
    const closed = socket.closed ? Promise.resolve() : new Promise<void>(resolve => socket.once('close', resolve))
    this.#over = closed.then(() => carrier.close()).catch(error => carrier.abort(error))
    carriedBy(this, socket)
    socket.on('data', data => this.#onPiece(data))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('error', error => carrier.abort(error))
    carrier.addEventListener('close', ({ error, local }) => {
      socket.destroy()
      if (error === undefined) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
  }

  /** Straight to whoever takes it so; from the first on of which nothing else waits in the socket, by one buffer. */
  #onPiece(piece: Uint8Array): void {
    const consume = straightConsumer(this)
    if (consume === undefined) this.onData(piece)
    else consume(piece)
    if (this.#isReused || this.#socket.readableLength > 0 || this.#socket.destroyed) return
    this.#isReused = true
    reuseReads(this.#socket, next => {
      const straight = straightConsumer(this)
      if (straight === undefined) this.onData(next.slice())
      else straight(next)
    })
  }

  /** All pieces of a message at once: alone, each would be encrypted and written by itself, and the header of a frame is one. */
  override sendData(data: Iterable<Uint8Array> & { readonly byteLength: number }): SendResult {
    const sentBytes = data.byteLength
    this.#socket.cork()
    for (const piece of data) this.#socket.write(piece)
    this.#socket.uncork()
    return { sentBytes, canSendMore: !this.#socket.writableNeedDrain }
  }

  override sendPause(): void {
    this.#socket.pause()
  }

  override sendResume(): void {
    this.#socket.resume()
  }

  override sendReset(error: Error): void {
    this.#socket.destroy()
    this.#carrier.abort(error)
  }

  override async close({ signal }: AbortOptions = {}): Promise<void> {
    this.#socket.destroySoon()
    await unlessAborted(this.#over, signal)
  }
}

const unlessAborted = async (over: Promise<void>, signal: AbortSignal | undefined): Promise<void> => {
  if (signal === undefined) return over
  let abort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    await Promise.race([over, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
