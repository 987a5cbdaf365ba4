import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor, TYPED_ARRAYS } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { decodeStrings, encodeStrings } from '../engine/string-elements.ts'
import { bytesOf } from './tensor-numbers.ts'

/** Numbers of a tensor, in row-major order. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** A tensor as programs have it, ONNX Runtime's own included. It is read, never written to, and copied before it travels. */
export interface TensorLike {
  /** @default what `data` is an array of; float32 for a plain list of numbers. float16 is given as its bits in a Uint16Array. */
  readonly type?: string
  readonly dims: readonly number[]
  /** The elements in row-major order. */
  readonly data: NumericArray | readonly number[] | readonly string[]
}

/** A tensor with the name of the input that it is for. */
export interface NamedTensor extends TensorLike {
  readonly name: string
}

/** The inputs of one datum: by name, as a list of named ones, or, for a model with one input, that one tensor. */
export type Tensors = TensorLike | Readonly<Record<string, TensorLike>> | readonly NamedTensor[]

/** One datum: its tensors, or these with a name for people. */
export type ItemLike = Tensors | { readonly name?: string; readonly tensors: Tensors }

/** A tensor of a result. Strings as a list, float16 as its bits, bool as 0 and 1. */
export interface OutputTensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: NumericArray | readonly string[]
}

/** The name of a tensor that was given alone. */
export const UNNAMED = ''

const TYPES: Readonly<Record<string, ElementType>> = {
  Float16Array: 'float16',
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Buffer: 'uint8',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64'
}

/** What a type may be handed over in besides its own kind of array. */
const BITS: Partial<Record<ElementType, readonly ElementType[]>> = { float16: ['uint16'], bool: ['uint8'] }

/** Whether it is one tensor, and not inputs by name. */
export const isTensor = (value: unknown): value is TensorLike => {
  if (typeof value !== 'object' || value === null) return false
  const { dims, data } = value as Partial<TensorLike>
  return Array.isArray(dims) && (ArrayBuffer.isView(data) || Array.isArray(data))
}

/** @returns copies, which may be given away @throws UserError `badTensor` that says what is wrong with which */
export const toTensors = (given: Tensors): readonly Tensor[] => {
  if (isTensor(given)) return [toTensor(UNNAMED, given)]
  if (typeof given !== 'object' || given === null) throw bad(UNNAMED, `is ${String(given)}, no tensor`)
  if (Array.isArray(given)) return given.map(tensor => toTensor((tensor as NamedTensor).name, tensor))
  return Object.entries(given).map(([name, tensor]) => toTensor(name, tensor))
}

const toTensor = (name: string, tensor: TensorLike): Tensor => {
  if (!isTensor(tensor)) throw bad(name, 'is no tensor: { type, dims, data }')
  const dims = [...tensor.dims]
  if (!dims.every(dim => Number.isSafeInteger(dim) && dim >= 0))
    throw bad(name, `has the dims [${dims.join(', ')}]; they are whole numbers from 0`)
  const type = typeOf(name, tensor)
  const { data } = tensor
  const elements = elementCount(dims)
  if (data.length !== elements) throw bad(name, `has ${data.length} elements, and [${dims.join(', ')}] has ${elements}`)
  return { name, type, dims, data: copyOf(type, data) }
}

const typeOf = (name: string, { type, data }: TensorLike): ElementType => {
  const of = Array.isArray(data)
    ? typeof data[0] === 'string' || type === 'string'
      ? 'string'
      : undefined
    : TYPES[data.constructor.name]
  if (type === undefined) {
    if (of === undefined && !Array.isArray(data)) throw bad(name, `has its elements in ${data.constructor.name}`)
    return of ?? 'float32'
  }
  if (!Object.hasOwn(ELEMENT_TYPES, type))
    throw bad(name, `is of type "${type}"; known: ${Object.keys(ELEMENT_TYPES).join(', ')}`)
  const known = type as ElementType
  const isList = of === undefined && known !== 'string'
  if (isList || of === known || BITS[known]?.includes(of!)) return known
  throw bad(name, `is said to be ${type}, and its data are ${of}`)
}

const copyOf = (type: ElementType, data: TensorLike['data']): Uint8Array<ArrayBuffer> => {
  if (type === 'string') return encodeStrings(data as readonly string[])
  if (Array.isArray(data)) return bytesOf(type, data as readonly number[])
  const { buffer, byteOffset, byteLength } = data as Uint8Array
  const copy = new Uint8Array(byteLength)
  copy.set(new Uint8Array(buffer, byteOffset, byteLength))
  return copy
}

/** As a program wants it: an array of its own kind. Nothing is copied but strings. */
export const fromTensor = ({ type, dims, data }: Tensor): OutputTensor => ({
  type,
  dims,
  data:
    type === 'string'
      ? decodeStrings(data)
      : new TYPED_ARRAYS[type](data.buffer, data.byteOffset, data.byteLength / ELEMENT_TYPES[type])
})

const bad = (name: string, because: string): UserError =>
  new UserError(`${name === UNNAMED ? 'the tensor' : `tensor "${name}"`} ${because}`, {
    code: 'badTensor',
    facts: { tensor: name }
  })
