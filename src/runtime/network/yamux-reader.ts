/** Of a frame, as the library has it. */
export interface YamuxHeader {
  readonly type: number
  readonly flag: number
  readonly streamID: number
  readonly length: number
}

export interface YamuxReaderParts {
  /** A frame that has no data. @throws where it is none */
  readonly onFrame: (header: YamuxHeader) => void
  /** Data of a frame, as they come: `header` is that of a frame of so many bytes. */
  readonly onData: (header: YamuxHeader, piece: Uint8Array) => void
  /** Bytes that a frame may claim. */
  readonly most: number
}

const HEADER = 12
const DATA = 0
/** The other side will send no more, or the stream is over: true once all of the frame is there. */
const AFTERWARDS = 0x4 | 0x8

/**
 * Reads frames of yamux. Data are handed on as they come; the library's decoder keeps a frame until it is whole, so that a receiver
 * begins when its sender has ended.
 *
 * Specification: https://github.com/hashicorp/yamux/blob/master/spec.md
 */
export class YamuxReader {
  readonly #parts: YamuxReaderParts
  readonly #header = new Uint8Array(HEADER)
  readonly #view = new DataView(this.#header.buffer)
  #filled = 0
  /** Of the frame of data that is under way. */
  #current: YamuxHeader | undefined
  #left = 0

  constructor(parts: YamuxReaderParts) {
    this.#parts = parts
  }

  /** @throws Error for what is no frame, or a longer one than may come */
  feed(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      const { byteLength: size } = piece
      if (this.#left > 0) {
        const end = Math.min(size, at + this.#left)
        this.#hand(at === 0 && end === size ? piece : piece.subarray(at, end))
        at = end
      } else {
        const taken = Math.min(size - at, HEADER - this.#filled)
        this.#header.set(piece.subarray(at, at + taken), this.#filled)
        this.#filled += taken
        at += taken
        if (this.#filled === HEADER) this.#begin()
      }
    }
  }

  #begin(): void {
    this.#filled = 0
    const view = this.#view
    if (view.getUint8(0) !== 0) throw new Error(`a frame of version ${view.getUint8(0)} came`)
    const header = {
      type: view.getUint8(1),
      flag: view.getUint16(2),
      streamID: view.getUint32(4),
      length: view.getUint32(8)
    }
    if (header.type !== DATA || header.length === 0) {
      this.#parts.onFrame(header)
      return
    }
    if (header.length > this.#parts.most)
      throw new Error(`a frame of more than the window of ${this.#parts.most} B came`)
    this.#current = header
    this.#left = header.length
  }

  #hand(piece: Uint8Array): void {
    const { type, flag, streamID, length } = this.#current!
    const isFirst = this.#left === length
    this.#left -= piece.byteLength
    const now = (isFirst ? flag & ~AFTERWARDS : 0) | (this.#left === 0 ? flag & AFTERWARDS : 0)
    this.#parts.onData({ type, flag: now, streamID, length: piece.byteLength }, piece)
  }
}
