import { fromHalf } from '../../core/float16.ts'
import type { Tensor } from '../../core/tensor.ts'
import type { EncodedTensor, WireTensor } from '../ports/wire-tensor.ts'

/** Codes of int8: 0 .. 255. */
const TOP = 255
const LARGEST_HALF = 0x7bff
/** Bits of float32: infinity, and the smallest number that is a normal half, 2 ** -14. */
const INFINITE = 0x7f800000
const NORMAL = 0x38800000
/** Added and taken away again, it rounds to a whole number, ties to even. */
const ROUNDING = 2 ** 52

/**
 * A float32 tensor in fewer bytes; `tensor` itself where it cannot be: another type, or for int8 a tensor with NaN or
 * infinities in it.
 *
 * fp16 rounds to the nearest half precision number, ties to even: within 2 ** -11 of the value, or within 2 ** -25 of
 * values under 2 ** -14. What is larger than ±65504 becomes that; infinities and NaN stay.
 *
 * int8 is affine for the whole tensor: scale = (max - min) / 255 over the values and 0, zero point = -min / scale
 * rounded, code = value / scale + zero point rounded. Within half a scale of the value; zeros stay exact.
 */
export const encodeTensor = (tensor: Tensor, encoding: EncodedTensor['encoding']): WireTensor => {
  if (tensor.type !== 'float32') return tensor
  const { data } = tensor
  const { buffer, byteOffset, byteLength } = data.byteOffset % 4 === 0 ? data : data.slice()
  const count = byteLength / 4
  return encoding === 'fp16'
    ? {
        ...shapeOf(tensor),
        encoding,
        scale: 0,
        zeroPoint: 0,
        data: toHalves(new Uint32Array(buffer, byteOffset, count))
      }
    : (toCodes(tensor, new Float32Array(buffer, byteOffset, count)) ?? tensor)
}

const shapeOf = ({ name, dims }: Tensor) => ({ name, type: 'encoded', dims }) as const

const toHalves = (bits: Uint32Array): Uint8Array<ArrayBuffer> => {
  const halves = new Uint16Array(bits.length)
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!
    const sign = (x >>> 16) & 0x8000
    const size = x & 0x7fffffff
    if (size >= NORMAL && size < INFINITE) {
      // The exponent from bias 127 to 15; half of what is dropped, and one if the last kept bit is odd, rounds up.
      const half = (size - 0x37fff001 + ((size >>> 13) & 1)) >>> 13
      halves[i] = sign | Math.min(half, LARGEST_HALF)
    } else halves[i] = sign | unusualHalf(size)
  }
  return new Uint8Array(halves.buffer)
}

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

/** Of a positive number that is no normal half: less than one, infinite, or NaN. */
const unusualHalf = (bits: number): number => {
  if (bits >= INFINITE) return bits === INFINITE ? 0x7c00 : 0x7e00
  word[0] = bits
  return float[0]! * 2 ** 24 + ROUNDING - ROUNDING
}

/** @returns undefined where some value is not finite */
const toCodes = (tensor: Tensor, values: Float32Array): EncodedTensor | undefined => {
  let min = 0
  let max = 0
  let odd = 0
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!
    if (x < min) min = x
    else if (x > max) max = x
    odd += x - x // NaN for infinities and NaN
  }
  if (odd !== 0) return undefined
  const scale = max > min ? (max - min) / TOP : 1
  const zeroPoint = Math.round(-min / scale)
  const perScale = 1 / scale
  const codes = new Uint8ClampedArray(values.length) // rounds what it is given
  for (let i = 0; i < values.length; i++) codes[i] = values[i]! * perScale + zeroPoint
  return { ...shapeOf(tensor), encoding: 'int8', scale, zeroPoint, data: new Uint8Array(codes.buffer) }
}

/** As float32 again; what travelled as it is, itself. */
export const decodeTensor = (tensor: WireTensor): Tensor => {
  if (tensor.type !== 'encoded') return tensor
  const { name, dims } = tensor
  const values = tensor.encoding === 'fp16' ? fromHalves(tensor.data) : fromCodes(tensor)
  return { name, type: 'float32', dims, data: new Uint8Array(values.buffer) }
}

/** The number that each of the 65536 halves stands for; made when first needed. */
let numbers: Float32Array | undefined

const fromHalves = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> => {
  numbers ??= Float32Array.from({ length: 1 << 16 }, (_, half) => fromHalf(half))
  const table = numbers
  const halves = new Uint16Array(buffer, byteOffset, byteLength / 2)
  const values = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i]!]!
  return values
}

const LARGEST = (2 - 2 ** -23) * 2 ** 127

/** Half a scale beyond the largest float32 is none. */
const finite = (x: number): number => Math.max(-LARGEST, Math.min(LARGEST, x))

const fromCodes = ({ data, scale, zeroPoint }: EncodedTensor): Float32Array<ArrayBuffer> => {
  const table = Float32Array.from({ length: TOP + 1 }, (_, code) => finite(scale * (code - zeroPoint)))
  const values = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) values[i] = table[data[i]!]!
  return values
}
