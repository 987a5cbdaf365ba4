import { elementCount, type Tensor, type TensorSpec } from '../../core/tensor.ts'
import { bytesOf, numbersOf } from './tensor-numbers.ts'

/**
 * What was given for an input, as the model wants it. NumPy and JavaScript make float64 and int64 unless told otherwise: these
 * are taken where the model wants fewer bits, and float32 where it wants float16; one item where it takes batches is a
 * batch of one.
 * @throws RangeError in words that follow what was given
 */
export const fitTensor = (given: Omit<Tensor, 'name'>, spec: TensorSpec): Tensor => {
  const { name, type, shape } = spec
  const dims = given.dims.length + 1 === shape.length && shape[0] !== 0 ? withBatch(given.dims, shape) : given.dims
  // As ONNX Runtime: any shape where no rank is declared, or a scalar.
  const isAny = shape.length === 0
  const fits = isAny || (dims.length === shape.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i]))
  if (!fits) throw new RangeError(`its shape (${given.dims.join(', ')}) does not fit ${describeInput(spec)}`)
  if (given.type === type) return { name, type, dims, data: given.data }
  const narrowed = narrow({ ...given, name }, type)
  if (narrowed === undefined)
    throw new RangeError(`its elements are ${given.type} and the model wants ${describeInput(spec)}`)
  return { name, type, dims, data: narrowed }
}

/** One item where the model takes batches: a batch of one. */
const withBatch = (dims: readonly number[], [first]: TensorSpec['shape']): readonly number[] =>
  first === 1 || typeof first !== 'number' ? [1, ...dims] : dims

const narrow = (tensor: Tensor, type: Tensor['type']): Uint8Array<ArrayBuffer> | undefined => {
  const floats =
    (tensor.type === 'float64' && (type === 'float32' || type === 'float16')) ||
    (tensor.type === 'float32' && type === 'float16')
  const integers = tensor.type === 'int64' && /^u?int(8|16|32)$/.test(type)
  if (!(floats || integers)) return undefined
  const numbers = numbersOf(tensor)
  const data = bytesOf(type as 'int32', numbers)
  const back = numbersOf({ name: tensor.name, type, dims: tensor.dims, data })
  for (let i = 0; i < elementCount(tensor.dims); i++) {
    // A float may be rounded; a number that was finite may not become infinite.
    const isHeld = floats ? Number.isFinite(back[i]) || !Number.isFinite(numbers[i]) : back[i] === numbers[i]
    if (!isHeld) throw new RangeError(`element ${i} is ${numbers[i]}, which ${type} cannot hold`)
  }
  return data
}

/** `input "x" float32[?, 3]`. */
export const describeInput = ({ name, type, shape }: TensorSpec): string =>
  `input "${name}" ${type}[${shape.map(dim => dim ?? '?').join(', ')}]`
