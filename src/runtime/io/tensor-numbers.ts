import { fromHalf, toHalf } from '../../core/float16.ts'
import { ELEMENT_TYPES, type ElementType, type Tensor, TYPED_ARRAYS } from '../../core/tensor.ts'

type NumericType = Exclude<ElementType, 'string'>
type Numbers = ArrayLike<number> & { readonly length: number }

/** Lowest and highest value of each integer type that fits a JavaScript number. */
const RANGES = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1]
} as const

/** Makes a view of a tensor's elements. A tensor's data starts at offset 0, so this copies nothing. */
const viewOf = <View>(make: new (b: ArrayBuffer, at: number, n: number) => View, { type, data }: Tensor): View => {
  const own = data.byteOffset % 8 === 0 ? data : new Uint8Array(data)
  return new make(own.buffer, own.byteOffset, own.byteLength / ELEMENT_TYPES[type as NumericType])
}

/** Elements as JavaScript numbers; 64-bit integers beyond 2^53 lose their last bits. @throws TypeError for strings */
export const numbersOf = (tensor: Tensor): Numbers => {
  const { type } = tensor
  if (type === 'string') throw new TypeError(`"${tensor.name}" holds strings, not numbers`)
  if (type === 'float16') return Float32Array.from(viewOf(Uint16Array, tensor), fromHalf)
  if (type === 'int64') return Float64Array.from(viewOf(BigInt64Array, tensor), Number)
  if (type === 'uint64') return Float64Array.from(viewOf(BigUint64Array, tensor), Number)
  return viewOf<Numbers>(TYPED_ARRAYS[type], tensor)
}

/** Numbers as elements of a type: integers are rounded and kept in range. */
export const bytesOf = (type: NumericType, numbers: Numbers): Uint8Array<ArrayBuffer> => {
  if (type === 'float16') return new Uint8Array(Uint16Array.from(numbers, toHalf).buffer)
  if (type === 'int64') return new Uint8Array(BigInt64Array.from(numbers, n => BigInt(Math.round(n))).buffer)
  if (type === 'uint64')
    return new Uint8Array(BigUint64Array.from(numbers, n => BigInt(Math.max(0, Math.round(n)))).buffer)
  if (type === 'float32' || type === 'float64') return new Uint8Array(TYPED_ARRAYS[type].from(numbers).buffer)
  const [low, high] = RANGES[type]
  const whole = Array.from(numbers, n => Math.min(high, Math.max(low, Math.round(n))))
  return new Uint8Array(TYPED_ARRAYS[type].from(whole).buffer)
}
