/** SHA-256: what blocks and models are known by. */
export interface Hash {
  /** Of bytes that come piece by piece. */
  begin(): Hashing
  /** Of bytes that are all there, in lower-case hex. */
  of(bytes: Uint8Array): string
}

export interface Hashing {
  update(bytes: Uint8Array): void
  /** Of all that was given, in lower-case hex. Once. */
  end(): string
}
