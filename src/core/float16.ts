const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The IEEE 754 half precision number nearest to `value`, ties to even, as its 16 bits. */
export const toHalf = (value: number): number => {
  float[0] = value
  const x = bits[0]!
  const sign = (x >>> 16) & 0x8000
  const exponent = (x >>> 23) & 0xff
  const mantissa = x & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200)
  const e = exponent - 112 // bias 127 becomes bias 15
  if (e >= 31) return sign | 0x7c00
  if (e <= 0) return e < -10 ? sign : sign | rounded(mantissa | 0x800000, 14 - e)
  return sign | rounded((e << 23) | mantissa, 13) // a carry out of the mantissa raises the exponent, as it should
}

const rounded = (value: number, drop: number): number => {
  const kept = value >>> drop
  const rest = value & ((1 << drop) - 1)
  const half = 1 << (drop - 1)
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept
}

/** The number that 16 bits of IEEE 754 half precision stand for. */
export const fromHalf = (half: number): number => {
  const sign = (half & 0x8000) === 0 ? 1 : -1
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}
