import { once } from 'node:events'
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import type { CancelSignal } from '../../core/cancel-signal.ts'
import type { Clock } from '../../core/clock.ts'
import type { Answered } from '../answered.ts'
import { GoneSignal } from '../gone-signal.ts'
import { asServingError, ServingError } from '../serving-error.ts'
import type { GrpcCall, GrpcMethod } from './grpc-method.ts'
import { MessageReader, type MessageReaderParts, type ReadMessage } from './message-reader.ts'
import { parseTimeout } from './parse-timeout.ts'
import { statusTrailers } from './status-trailers.ts'
import { unpackMessage } from './unpack-message.ts'

export interface ServedCallParts extends MessageReaderParts {
  /** By their paths. */
  readonly methods: ReadonlyMap<string, GrpcMethod>
  /** Milliseconds in which nothing more of a message comes: its call is given up. */
  readonly silence: number
  /** @throws ServingError */
  readonly checkToken: (authorization: string | undefined) => void
  readonly clock: Clock
  /** Of an unexpected error. */
  readonly say: (text: string, level?: 'warn') => void
  /** Of each answer, with its status. */
  readonly answered: Answered
}

/** Messages of one call without an answer: no more is read of it meanwhile. */
const MOST_AT_ONCE = 128

const gone = (): ServingError => new ServingError('cancelled', 'the client has gone')
/** No page in a browser may send it elsewhere unasked. */
const CONTENT_TYPE = /^application\/grpc(?:\+proto)?\s*(?:;|$)/
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' }

/** One call, from its headers to its status. */
export class ServedCall implements GrpcCall {
  readonly connection: object
  readonly #gone = new GoneSignal()
  /** Where one of the platform's is needed: it takes a tenth of the time of a small call. */
  #over: AbortController | undefined
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #parts: ServedCallParts
  readonly #method: GrpcMethod | undefined
  readonly #reader: MessageReader
  /** What came and is not begun. */
  readonly #asked: ReadMessage[] = []
  /** Whether no more comes. */
  #hasEnded = false
  #answering = 0
  #last: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, parts: ServedCallParts) {
    this.#stream = stream
    this.#headers = headers
    this.#parts = parts
    this.connection = stream.session ?? stream
    this.#method = parts.methods.get(headers[':path'] ?? '')
    this.#reader = new MessageReader(parts, message => this.#onMessage(message))
    stream.on('error', () => {}) // 'close' follows
    stream.once('close', () => this.#onClose())
    this.#guarded(() => this.#begin())
  }

  get signal(): CancelSignal {
    return this.#gone
  }

  get #platformSignal(): AbortSignal {
    if (this.#over === undefined) {
      this.#over = new AbortController()
      if (this.#gone.aborted) this.#over.abort()
    }
    return this.#over.signal
  }

  #leave(): void {
    this.#gone.leave()
    this.#over?.abort()
  }

  header(name: string): string | undefined {
    return this.#headers[name]?.toString()
  }

  #begin(): void {
    if (this.#headers[':method'] !== 'POST' || !CONTENT_TYPE.test(this.header('content-type') ?? '')) {
      this.#isOver = true
      this.#stream.respond({ ':status': 415 }, { endStream: true })
      return
    }
    if (this.#method === undefined)
      throw new ServingError('noSuchPath', `there is no method ${this.header(':path')?.slice(0, 200)}`)
    if (!this.#method.isOpen) this.#parts.checkToken(this.header('authorization'))
    const timeout = this.header('grpc-timeout')
    if (timeout !== undefined) this.#expireAfter(timeout)
    this.#stream
      .on('data', (chunk: Buffer) => this.#guarded(() => this.#onData(chunk)))
      .once('end', () => this.#guarded(() => this.#onEnd()))
      .on('timeout', () => this.#onSilence())
    if (!this.#method.isStream) this.#stream.setTimeout(this.#parts.silence)
  }

  /** What is thrown is the call's end. */
  #guarded(act: () => void): void {
    if (this.#isOver) return
    try {
      act()
    } catch (error) {
      this.#fail(error)
    }
  }

  #expireAfter(timeout: string): void {
    this.#parts.clock.sleep(parseTimeout(timeout), { signal: this.#platformSignal }).then(
      () => this.#fail(new ServingError('deadline', "the call's deadline is over")),
      () => {} // it was answered before
    )
  }

  #onData(chunk: Buffer): void {
    this.#reader.push(chunk)
    if (this.#method!.isStream) this.#startNext()
  }

  #onSilence(): void {
    this.#fail(new ServingError('tooSlow', `nothing more of the message came for ${this.#parts.silence / 1000} s`))
  }

  #onMessage(message: ReadMessage): void {
    this.#asked.push(message)
    if (this.#asked.length > 1 && !this.#method!.isStream)
      throw new ServingError('badRequest', 'more than one message; this method takes one')
  }

  #onEnd(): void {
    this.#reader.end()
    this.#hasEnded = true
    if (!this.#method!.isStream && this.#asked.length === 0)
      throw new ServingError('badRequest', 'the call has no message')
    this.#startNext()
  }

  /** Many at once, answered in the order in which they were asked. */
  #startNext(): void {
    while (this.#answering < MOST_AT_ONCE && this.#asked.length > 0) this.#start(this.#asked.shift()!)
    const isFull = this.#answering >= MOST_AT_ONCE
    if (isFull) this.#stream.pause()
    else if (this.#stream.isPaused()) this.#stream.resume()
    this.#stream.setTimeout(this.#reader.isWithin && !isFull ? this.#parts.silence : 0)
    if (this.#hasEnded && this.#answering === 0) this.#end()
  }

  #start(message: ReadMessage): void {
    this.#answering++
    const frame = this.#frameFor(message).catch(error => {
      this.#fail(error)
      return undefined
    })
    this.#last = this.#last.then(async () => {
      await this.#write(await frame)
      this.#answering--
      if (!this.#isOver) this.#startNext()
    })
  }

  /** Waits until its client takes more. */
  async #write(frame: Uint8Array | undefined): Promise<void> {
    if (this.#isOver || !frame) return
    if (!this.#method!.isStream) {
      this.#end(frame)
      return
    }
    if (this.#stream.destroyed) return
    if (!this.#stream.headersSent) this.#stream.respond(HEADERS, { waitForTrailers: true })
    if (this.#stream.write(frame)) return
    await once(this.#stream, 'drain', { signal: this.#platformSignal }).catch(() => {}) // it has gone
  }

  /** An answer with what stands before it. */
  async #frameFor(message: ReadMessage): Promise<Uint8Array> {
    using read = message
    const { input, output, answer } = this.#method!
    const bytes = read.isPacked
      ? await unpackMessage(read.bytes, this.header('grpc-encoding'), this.#parts.most)
      : read.bytes
    const request = decoded(() => fromBinary(input, bytes))
    const answered = answer(request, this, read.reuse)
    const written = toBinary(output, answered instanceof Promise ? await answered : answered)
    const frame = Buffer.allocUnsafe(5 + written.byteLength)
    frame[0] = 0
    frame.writeUInt32BE(written.byteLength, 1)
    frame.set(written, 5)
    return frame
  }

  #fail(cause: unknown): void {
    if (this.#isOver) return
    const error = asServingError(cause)
    if (error.problem === 'internal') this.#parts.say(`an answer over gRPC failed: ${error.message}`, 'warn')
    this.#settle(error)
    if (this.#stream.destroyed) return
    if (this.#stream.headersSent) this.#endWith(statusTrailers(error))
    else this.#stream.respond({ ...HEADERS, ...statusTrailers(error) }, { endStream: true })
    // What of the call has not been read is not read any more.
    if (!this.#stream.readableEnded) this.#stream.resume().close(constants.NGHTTP2_NO_ERROR)
  }

  #end(frame?: Uint8Array): void {
    if (this.#stream.destroyed) this.#fail(gone())
    if (this.#isOver) return
    this.#settle(undefined)
    if (!this.#stream.headersSent) this.#stream.respond(HEADERS, { waitForTrailers: true })
    this.#endWith(statusTrailers(undefined), frame)
  }

  #endWith(trailers: ReturnType<typeof statusTrailers>, frame?: Uint8Array): void {
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(trailers))
    this.#stream.end(frame)
  }

  /** @param error undefined: it was answered */
  #settle(error: ServingError | undefined): void {
    this.#isOver = true
    this.#reader[Symbol.dispose]()
    for (const message of this.#asked) message[Symbol.dispose]()
    if (this.#method !== undefined && !(this.#method.isStream && error === undefined))
      this.#parts.answered(this.#method.name, error?.grpcStatus ?? 0)
    if (error !== undefined || this.header('grpc-timeout') !== undefined) this.#leave()
  }

  #onClose(): void {
    if (this.#isOver) return
    this.#leave()
    // One that is being answered ends as its answer does.
    if (this.#answering === 0 || this.#method!.isStream) this.#fail(gone())
  }
}

/** @throws ServingError where it is no such message */
const decoded = (read: () => Message): Message => {
  try {
    return read()
  } catch (error) {
    throw new ServingError('badRequest', `the message cannot be read: ${(error as Error).message}`)
  }
}
