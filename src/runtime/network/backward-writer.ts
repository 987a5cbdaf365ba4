import { pooledBytes } from './pooled-bytes.ts'

const SIZE = 4096
const ASCII = 0x80
const encoder = new TextEncoder()

/**
 * Writes protobuf from its end to its beginning: so how long a field is is known when its length is written. Each call puts something before
 * what is there. One serves all messages, one after the other.
 */
export class BackwardWriter {
  #bytes = new Uint8Array(SIZE)
  #view = new DataView(this.#bytes.buffer)
  #at = SIZE

  /** Bytes so far. */
  get size(): number {
    return this.#bytes.byteLength - this.#at
  }

  /** A new message: nothing is there. */
  begin(): void {
    if (this.#bytes.byteLength > SIZE) this.#take(new Uint8Array(SIZE))
    this.#at = SIZE
  }

  tag(tag: number): void {
    if (tag < ASCII) this.#bytes[this.#room(1)] = tag
    else this.uint32(tag)
  }

  /** @throws RangeError where it is none */
  uint32(value: number): void {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no uint32`)
    this.#varint(value)
  }

  /** @throws RangeError where it is none */
  uint64(value: bigint): void {
    const most = BigInt.asUintN(64, value)
    if (most !== value) throw new RangeError(`${value} is no uint64`)
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.#varint(Number(value))
      return
    }
    const groups: number[] = []
    for (let rest = value; rest > 0n; rest >>= 7n) groups.push(Number(rest & 0x7fn))
    for (let i = groups.length - 1; i >= 0; i--)
      this.#bytes[this.#room(1)] = groups[i]! | (i < groups.length - 1 ? ASCII : 0)
  }

  bool(value: boolean): void {
    this.#bytes[this.#room(1)] = value ? 1 : 0
  }

  double(value: number): void {
    const at = this.#room(8)
    this.#view.setFloat64(at, value, true)
  }

  bytes(value: Uint8Array): void {
    this.raw(value)
    this.#varint(value.byteLength)
  }

  string(value: string): void {
    const { length } = value
    const at = this.#room(length)
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code >= ASCII) {
        this.#at += length
        this.bytes(encoder.encode(value))
        return
      }
      bytes[at + i] = code
    }
    this.#varint(length)
  }

  /** As they are. */
  raw(value: Uint8Array): void {
    const at = this.#room(value.byteLength)
    this.#bytes.set(value, at)
  }

  /** Four bytes, big endian. */
  fixed32(value: number): void {
    const at = this.#room(4)
    this.#view.setUint32(at, value)
  }

  /** What was written since it began, in memory of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    const whole = pooledBytes(this.size)
    whole.set(this.#bytes.subarray(this.#at))
    return whole
  }

  #varint(value: number): void {
    let size = 1
    for (let rest = value; rest >= ASCII; rest = Math.floor(rest / ASCII)) size++
    let at = this.#room(size)
    const bytes = this.#bytes
    let rest = value
    for (; rest >= ASCII; rest = Math.floor(rest / ASCII)) bytes[at++] = (rest % ASCII) + ASCII
    bytes[at] = rest
  }

  /** @returns where so many bytes begin that are to be filled now */
  #room(size: number): number {
    if (size > this.#at) this.#grow(size)
    this.#at -= size
    return this.#at
  }

  #grow(size: number): void {
    const { size: filled } = this
    const larger = new Uint8Array(2 * (filled + size))
    larger.set(this.#bytes.subarray(this.#at), larger.byteLength - filled)
    this.#take(larger)
    this.#at = larger.byteLength - filled
  }

  #take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
