/** One weight's stream of numbers. */
export interface UniformStream {
  readonly keys: readonly [number, number]
  readonly low: number
  readonly high: number
}

/**
 * Uniform numbers by position: element i of the stream is a hash of i and two keys, so that a tensor can be made piece
 * by piece, and neighbouring keys share nothing. Same keys, same bits on every machine. The mixing function is
 * `lowbias32` (Wellons, https://nullprogram.com/blog/2018/07/31/) with the second key in its middle; a third of a
 * second for the 138 M weights of VGG-16 where a general generator takes two.
 *
 * @param first position in the stream of out[0]
 */
export const fillUniform = (
  out: Float32Array,
  first: number,
  { keys: [start, middle], low, high }: UniformStream
): void => {
  const centre = (low + high) / 2
  const scale = (high - low) / 2 ** 32
  for (let i = 0; i < out.length; i++) {
    let h = (first + i + start) | 0
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d) ^ middle
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
    out[i] = centre + (h ^ (h >>> 16)) * scale
  }
}
