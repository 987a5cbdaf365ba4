import { FrameError } from './frame-parser.ts'

/** Turns the bytes of a stream into messages, each [uint32 length, big endian][message]. */
export class MessageParser {
  readonly #limit: number
  readonly #onMessage: (message: Uint8Array) => void
  readonly #head = new Uint8Array(4)
  readonly #headView = new DataView(this.#head.buffer)
  #target = this.#head
  #filled = 0
  #inHead = true

  constructor(limit: number, onMessage: (message: Uint8Array) => void) {
    this.#limit = limit
    this.#onMessage = onMessage
  }

  /** @throws FrameError when a message is longer than the limit; whatever `onMessage` throws */
  feed(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      const taken = Math.min(piece.byteLength - at, this.#target.byteLength - this.#filled)
      this.#target.set(taken === piece.byteLength ? piece : piece.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      while (this.#filled === this.#target.byteLength) this.#next()
    }
  }

  #next(): void {
    const whole = this.#target
    this.#filled = 0
    this.#inHead = !this.#inHead
    if (this.#inHead) {
      this.#target = this.#head
      this.#onMessage(whole)
      return
    }
    const length = this.#headView.getUint32(0)
    if (length > this.#limit)
      throw new FrameError('oversized', `a message of ${length} B, the limit is ${this.#limit} B`)
    this.#target = new Uint8Array(length)
  }
}
