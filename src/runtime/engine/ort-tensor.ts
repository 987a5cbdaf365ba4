import ort from 'onnxruntime-node'
import { ELEMENT_TYPES, type ElementType, type Tensor } from '../../core/tensor.ts'
import { decodeStrings, encodeStrings } from './string-elements.ts'

type NumericType = Exclude<ElementType, 'string'>

/** How ONNX Runtime's JavaScript API wants each type; float16 as its 16 bits. */
const VIEWS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array
} as const satisfies Record<NumericType, unknown>

/** A view of the tensor's own bytes, nothing copied; strings are decoded. */
export const toOrt = ({ type, dims, data }: Pick<Tensor, 'type' | 'dims' | 'data'>): ort.Tensor => {
  if (type === 'string') return new ort.Tensor('string', decodeStrings(data), dims)
  const elements = new VIEWS[type](data.buffer, data.byteOffset, data.byteLength / ELEMENT_TYPES[type])
  return new ort.Tensor(type, elements as never, dims)
}

/** The tensor's bytes in an ArrayBuffer of their own; copied only when ONNX Runtime shares one. */
export const fromOrt = (name: string, tensor: ort.Tensor): Tensor => {
  const type = tensor.type
  if (!isElementType(type)) throw new Error(`"${name}" has elements of type ${type}, which cannot leave a block`)
  const dims = [...tensor.dims]
  if (type === 'string') return { name, type, dims, data: encodeStrings(tensor.data as string[]) }
  const { buffer, byteOffset, byteLength } = tensor.data as Uint8Array<ArrayBuffer>
  const whole = byteOffset === 0 && byteLength === buffer.byteLength
  return { name, type, dims, data: new Uint8Array(whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) }
}

export const isElementType = (type: string): type is ElementType => Object.hasOwn(ELEMENT_TYPES, type)
