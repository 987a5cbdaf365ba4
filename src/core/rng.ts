/** A stream of numbers that are drawn by a seed. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number
  /** An independent stream: same seed and same name, same stream, whoever else draws. */
  fork(name: string): Rng
}

/** FNV-1a, 32 bit, from a chosen start so that four independent words come from one text. */
const hash = (text: string, start: number): number => {
  let h = start >>> 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  return (h ^ (h >>> 13)) >>> 0
}

/**
 * A seeded generator: sfc32 (Doty-Humphrey, PractRand), 128 bits of state, period at least 2^32.
 * For arrivals, weights and jitter; not for secrets.
 */
export const createRng = (seed: string | number): Rng => {
  const text = String(seed)
  let a = hash(text, 0x811c9dc5)
  let b = hash(text, 0x9e3779b9)
  let c = hash(text, 0x85ebca6b)
  let counter = 1
  const next = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return (t >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next() // mixes the seed words before the first draw
  return { next, fork: name => createRng(`${text}/${name}`) }
}
