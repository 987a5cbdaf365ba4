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

/**
 * What a device gives along with each datum that it sends out, and whoever speaks of that datum later gives back. Nobody else can
 * make it: it is a hash of a secret of this process. So nothing is kept of data that are under way, and whoever has not been
 * given an attempt cannot speak of it.
 */
export class AttemptTokens {
  readonly #hash: Hash
  readonly #secret: Uint8Array
  readonly #encoder = new TextEncoder()

  constructor(random: Random, hash: Hash) {
    this.#hash = hash
    this.#secret = random.bytes(SECRET)
  }

  of({ source, datum, attempt }: Attempt): Uint8Array {
    const text = this.#encoder.encode(`${datum} ${attempt} ${source}`)
    const content = new Uint8Array(SECRET + text.byteLength)
    content.set(this.#secret)
    content.set(text, SECRET)
    const hex = this.#hash.of(content)
    const token = new Uint8Array(TOKEN)
    for (let i = 0; i < TOKEN; i++) token[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
    return token
  }

  isOf(attempt: Attempt, token: Uint8Array): boolean {
    const own = this.of(attempt)
    return token.length === own.length && own.every((byte, i) => byte === token[i])
  }
}
