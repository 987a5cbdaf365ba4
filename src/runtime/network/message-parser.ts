import { FrameError } from './frame-parser.ts'

/** Turns the bytes of a stream into messages, each [uint32 length, big endian][message]. */
export class MessageParser {
  readonly #limit: number
  readonly #onMessage: (message: Uint8Array) => void
  #target = new Uint8Array(4)
  #filled = 0
  #inHead = true

  constructor(limit: number, onMessage: (message: Uint8Array) => void) {
    this.#limit = limit
    this.#onMessage = onMessage
  }

  /** @throws FrameError when a message is longer than the limit; whatever `onMessage` throws */
  feed(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      const taken = piece.subarray(at, at + this.#target.byteLength - this.#filled)
      this.#target.set(taken, this.#filled)
      this.#filled += taken.byteLength
      at += taken.byteLength
      while (this.#filled === this.#target.byteLength) this.#next()
    }
  }

  #next(): void {
    const whole = this.#target
    this.#filled = 0
    this.#inHead = !this.#inHead
    if (this.#inHead) {
      this.#target = new Uint8Array(4)
      this.#onMessage(whole)
      return
    }
    const length = new DataView(whole.buffer).getUint32(0)
    if (length > this.#limit)
      throw new FrameError('oversized', `a message of ${length} B, the limit is ${this.#limit} B`)
    this.#target = new Uint8Array(length)
  }
}
