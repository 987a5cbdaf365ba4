import type { BufferPool } from '../../core/buffer-pool.ts'
import { copyBytes } from '../../runtime/copy-bytes.ts'
import type { ByteBudget } from '../byte-budget.ts'
import { ServingError } from '../serving-error.ts'

export interface MessageReaderParts {
  /** Bytes of one message. */
  readonly most: number
  readonly budget: ByteBudget
  readonly buffers: BufferPool
}

/** A message as it came. Disposed: it counts no longer. */
export interface ReadMessage extends Disposable {
  readonly isPacked: boolean
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Nobody reads it any more: others may be given its memory. */
  reuse(): void
}

/** Before each message: whether it is packed, and how many bytes it has. */
const PREFIX = 5

/** Takes what comes of a call, in whichever pieces, and hands on its messages. Disposed: what is read in part is let go. */
export class MessageReader implements Disposable {
  readonly #parts: MessageReaderParts
  readonly #onMessage: (message: ReadMessage) => void
  readonly #prefix = Buffer.alloc(PREFIX)
  /** Bytes of the prefix, and of the message behind it, that have come. */
  #prefixed = 0
  #filled = 0
  #message: ReadMessage | undefined

  constructor(parts: MessageReaderParts, onMessage: (message: ReadMessage) => void) {
    this.#parts = parts
    this.#onMessage = onMessage
  }

  /** Whether a message has begun and not ended. */
  get isWithin(): boolean {
    return this.#prefixed > 0
  }

  /** @throws ServingError `tooLarge`, `queueFull`, by what is announced: before it is taken into memory */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength; ) at += this.#take(at === 0 ? chunk : chunk.subarray(at))
  }

  /** Nothing more comes. @throws ServingError where that is within a message */
  end(): void {
    if (!this.isWithin) return
    const announced = this.#message === undefined ? 'its length' : `${this.#message.bytes.byteLength} bytes`
    throw new ServingError('badRequest', `the message ended after ${this.#filled} bytes; ${announced} should come`)
  }

  [Symbol.dispose](): void {
    this.#message?.reuse()
    this.#message?.[Symbol.dispose]()
    this.#message = undefined
  }

  /** @returns how many bytes of it were of use */
  #take(chunk: Uint8Array): number {
    if (this.#message === undefined) {
      const some = chunk.subarray(0, PREFIX - this.#prefixed)
      this.#prefix.set(some, this.#prefixed)
      this.#prefixed += some.byteLength
      if (this.#prefixed === PREFIX) this.#begin()
      return some.byteLength
    }
    const { bytes } = this.#message
    const left = bytes.byteLength - this.#filled
    const some = chunk.byteLength > left ? chunk.subarray(0, left) : chunk
    copyBytes(some, bytes, this.#filled)
    this.#filled += some.byteLength
    this.#handOn()
    return some.byteLength
  }

  #begin(): void {
    const { most, budget, buffers } = this.#parts
    const size = this.#prefix.readUInt32BE(1)
    if (size > most)
      throw new ServingError('tooLarge', `a message of ${size} bytes; the limit here is ${most} (max message size)`)
    budget.take(size)
    const bytes = buffers.take(size)
    this.#message = {
      isPacked: this.#prefix[0] === 1,
      bytes,
      reuse: once(() => buffers.give(bytes)),
      [Symbol.dispose]: once(() => budget.giveBack(size))
    }
    this.#handOn()
  }

  /** Where it is whole. */
  #handOn(): void {
    const message = this.#message!
    if (this.#filled < message.bytes.byteLength) return
    this.#message = undefined
    this.#prefixed = 0
    this.#filled = 0
    this.#onMessage(message)
  }
}

const once = (act: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (!isDone) act()
    isDone = true
  }
}
