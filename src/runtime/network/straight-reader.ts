/** What a field without bytes has. */
export const NO_BYTES = new Uint8Array(0)

const SAFE_BYTES = 7
/** The same names come in each message: of the last ones of each place the text is kept, and need not be made. */
const PLACES = 512
const LONGEST_KEPT = 128

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads protobuf as we write it. Where anything else comes it gives up, and what it returns from then on is worth nothing: the library is to read
 * the message, and to judge it.
 */
export class StraightReader {
  at = 0
  isPlain = true
  #bytes: Uint8Array = NO_BYTES
  #view: DataView = new DataView(NO_BYTES.buffer)
  #end = 0
  readonly #texts: string[] = new Array(PLACES).fill('')

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer)
    this.at = 0
    this.#end = bytes.byteLength
    this.isPlain = true
  }

  /** Nothing more is read. */
  giveUp(): void {
    this.isPlain = false
    this.at = this.#end
  }

  tag(): number {
    return this.uint32()
  }

  uint32(): number {
    const value = this.#varint()
    if (value > 0xffffffff) this.giveUp()
    return value
  }

  uint64(): bigint {
    return BigInt(this.#varint())
  }

  bool(): boolean {
    const value = this.#varint()
    if (value > 1) this.giveUp()
    return value === 1
  }

  double(): number {
    const { at } = this
    if (at + 8 > this.#end) {
      this.giveUp()
      return 0
    }
    this.at = at + 8
    return this.#view.getFloat64(this.#bytes.byteOffset + at, true)
  }

  /** A part of what is read. */
  bytes(): Uint8Array<ArrayBuffer> {
    const end = this.end()
    const part = this.#bytes.subarray(this.at, end)
    this.at = end
    return part as Uint8Array<ArrayBuffer>
  }

  string(): string {
    const bytes = this.#bytes
    const end = this.end()
    const { at } = this
    this.at = end
    if (end - at > LONGEST_KEPT) return this.#decode(at, end)
    let hash = end - at
    for (let i = at; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
    const place = (hash ^ (hash >>> 9)) & (PLACES - 1)
    const kept = this.#texts[place]!
    if (isText(bytes, at, end, kept)) return kept
    const text = this.#decode(at, end)
    if (text.length === end - at) this.#texts[place] = text
    return text
  }

  /** Where that ends which begins with its length. */
  end(): number {
    const size = this.uint32()
    const end = this.at + size
    if (end <= this.#end) return end
    this.giveUp()
    return this.#end
  }

  #decode(at: number, end: number): string {
    try {
      return decoder.decode(this.#bytes.subarray(at, end))
    } catch {
      this.giveUp()
      return ''
    }
  }

  /** What may be larger than a number holds is given up. */
  #varint(): number {
    const bytes = this.#bytes
    const last = Math.min(this.#end, this.at + SAFE_BYTES)
    let value = 0
    let scale = 1
    while (this.at < last) {
      const byte = bytes[this.at++]!
      if (byte < 0x80) return value + byte * scale
      value += (byte - 0x80) * scale
      scale *= 0x80
    }
    this.giveUp()
    return 0
  }
}

/** What is kept is of ASCII alone: other letters are fewer than their bytes. */
const isText = (bytes: Uint8Array, at: number, end: number, text: string): boolean => {
  if (text.length !== end - at) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[at + i]!) return false
  return true
}
