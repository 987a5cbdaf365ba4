import ort from 'onnxruntime-node'
import { ELEMENT_TYPES, type ElementType, type Tensor, TYPED_ARRAYS } from '../../core/tensor.ts'
import { decodeStrings, encodeStrings } from './string-elements.ts'

/** A view of the tensor's own bytes, nothing copied; strings are decoded. */
export const toOrt = ({ type, dims, data }: Pick<Tensor, 'type' | 'dims' | 'data'>): ort.Tensor => {
  if (type === 'string') return new ort.Tensor('string', decodeStrings(data), dims)
  const elements = new TYPED_ARRAYS[type](data.buffer, data.byteOffset, data.byteLength / ELEMENT_TYPES[type])
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
