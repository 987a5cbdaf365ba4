import type { Hash } from '../ports/hash.ts'

/** Of bytes, or of a text's UTF-8. */
export const hashOf = (hash: Hash, content: Uint8Array | string): string =>
  hash.of(typeof content === 'string' ? new TextEncoder().encode(content) : content)
