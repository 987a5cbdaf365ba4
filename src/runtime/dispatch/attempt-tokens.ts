import type { Hash } from '../ports/hash.ts'
import type { Random } from '../ports/random.ts'

/** Which dispatch of which datum of a source. */
export interface Attempt {
  readonly source: string
  readonly datum: number
  readonly attempt: number
}

/** Bytes. */
const SECRET = 32
const TOKEN = 16
const ROOM = 1024

/**
 * What a device gives along with each datum that it sends out, and whoever speaks of that datum later gives back. Nobody else can
 * make it: it is a hash of a secret of this process. So nothing is kept of data that are under way, and whoever has not been
 * given an attempt cannot speak of it.
 */
export class AttemptTokens {
  readonly #hash: Hash
  /** The secret, and behind it what is told apart. */
  #content: Uint8Array
  readonly #encoder = new TextEncoder()

  constructor(random: Random, hash: Hash) {
    this.#hash = hash
    this.#content = new Uint8Array(SECRET + ROOM)
    this.#content.set(random.bytes(SECRET))
  }

  of({ source, datum, attempt }: Attempt): Uint8Array {
    const text = `${datum} ${attempt} ${source}`
    this.#makeRoom(3 * text.length)
    const { written } = this.#encoder.encodeInto(text, this.#content.subarray(SECRET))
    const hex = this.#hash.of(this.#content.subarray(0, SECRET + written))
    const token = new Uint8Array(TOKEN)
    for (let i = 0; i < TOKEN; i++) token[i] = 16 * digitAt(hex, 2 * i) + digitAt(hex, 2 * i + 1)
    return token
  }

  #makeRoom(size: number): void {
    if (this.#content.byteLength >= SECRET + size) return
    const larger = new Uint8Array(SECRET + size)
    larger.set(this.#content.subarray(0, SECRET))
    this.#content = larger
  }

  isOf(attempt: Attempt, token: Uint8Array): boolean {
    const own = this.of(attempt)
    return token.length === own.length && own.every((byte, i) => byte === token[i])
  }
}

/** Of lower-case hex. */
const digitAt = (hex: string, i: number): number => {
  const code = hex.charCodeAt(i)
  return code <= NINE ? code - ZERO : code - LETTER_A + 10
}

const ZERO = 0x30
const NINE = 0x39
const LETTER_A = 0x61
