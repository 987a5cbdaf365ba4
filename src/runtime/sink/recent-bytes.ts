/** So much of what was written last is kept: more than is written while a file is copied. */
const MOST = 4 * 1024 * 1024
const NEWLINE = 10

/** The last whole lines that were written to a file, and where in it. */
export class RecentBytes {
  readonly #most: number
  #start = 0
  #pieces: Uint8Array[] = []
  #length = 0

  constructor(most = MOST) {
    this.#most = most
  }

  /** Where the next bytes go. */
  get end(): number {
    return this.#start + this.#length
  }

  /** Whole lines written at `position`: what was there before and behind it counts no more. */
  put(position: number, lines: Uint8Array): void {
    if (position !== this.end) this.cut(position)
    this.#pieces.push(lines)
    this.#length += lines.byteLength
    while (this.#length > this.#most && this.#pieces.length > 1) {
      const oldest = this.#pieces.shift()!
      this.#start += oldest.byteLength
      this.#length -= oldest.byteLength
    }
  }

  /** Only what is before `position` is there. */
  cut(position: number): void {
    const kept =
      position >= this.#start && position <= this.end ? this.#bytes().subarray(0, position - this.#start) : undefined
    this.#pieces = kept === undefined || kept.byteLength === 0 ? [] : [kept]
    this.#length = kept?.byteLength ?? 0
    this.#start = position - this.#length
  }

  /** Bytes from `from` to `to` where all of them are known. */
  slice(from: number, to: number): Uint8Array | undefined {
    if (from < this.#start || to > this.end || from > to) return undefined
    return this.#bytes().subarray(from - this.#start, to - this.#start)
  }

  /** Where the known bytes begin. */
  get start(): number {
    return this.#start
  }

  /** The lines that do not end before `position`, which may be in the middle of the first. */
  linesFrom(position: number): Uint8Array {
    const bytes = this.#bytes()
    const before = bytes.subarray(0, Math.max(0, position - this.#start))
    return bytes.subarray(before.lastIndexOf(NEWLINE) + 1)
  }

  #bytes(): Uint8Array {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? new Uint8Array(0)
  }
}
