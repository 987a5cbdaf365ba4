import { elementCount, type Tensor, type TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import type { Item } from './data-port.ts'
import { type FilePath, shownPath, withEnding } from './file-path.ts'
import { fileSafe } from './file-safe.ts'
import { decodeNpy, type NpyArray } from './npy.ts'
import { readRegularFile } from './read-regular-file.ts'
import { bytesOf, numbersOf } from './tensor-numbers.ts'

/** A tensor larger than this is a mistake. */
const MAX_BYTES = 2 ** 30

/** What the files of one item end in: with several inputs NAME.INPUT.npy, with one the item is the file. */
export const npySuffixes = (inputs: readonly Pick<TensorSpec, 'name'>[]): readonly string[] =>
  inputs.length === 1 ? [] : fileSafe(inputs.map(({ name }) => name)).map(name => `.${name}.npy`)

/** Where the files of one item are, in the order of the inputs. */
export const npyPaths = (item: Item, inputs: readonly Pick<TensorSpec, 'name'>[]): readonly FilePath[] => {
  const suffixes = npySuffixes(inputs)
  return suffixes.length === 0 ? [item.path] : suffixes.map(suffix => withEnding(item.path, suffix))
}

/** @throws FileUnavailable when a file is missing, UserError when it is not .npy, or not what the model's input takes */
export const readNpyInputs = async (item: Item, inputs: readonly TensorSpec[]): Promise<readonly Tensor[]> => {
  const paths = npyPaths(item, inputs)
  const tensors: Tensor[] = []
  for (const [i, spec] of inputs.entries()) {
    tensors.push(await readNpyInput(paths[i] ?? item.path, spec))
  }
  return tensors
}

/** @throws FileUnavailable when the file is missing, UserError when it is not .npy, or not what this input takes */
export const readNpyInput = async (path: FilePath, spec: TensorSpec): Promise<Tensor> => {
  const file = await readRegularFile(path, MAX_BYTES, '1 GiB, the limit of one tensor')
  try {
    return fitted(decodeNpy(file), spec)
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${shownPath(path)}: ${error.message}`)
    throw error
  }
}

/**
 * NumPy makes float64 and int64 unless told otherwise: these are taken where the model wants fewer bits, and float32 where
 * it wants float16.
 */
const fitted = (array: NpyArray, spec: TensorSpec): Tensor => {
  const { name, type, shape } = spec
  const dims = array.dims.length + 1 === shape.length && shape[0] !== 0 ? withBatch(array.dims, shape) : array.dims
  // As ONNX Runtime: any shape where no rank is declared, or a scalar.
  const isAny = shape.length === 0
  const fits = isAny || (dims.length === shape.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i]))
  if (!fits) throw new RangeError(`its shape (${array.dims.join(', ')}) does not fit ${describe(spec)}`)
  if (array.type === type) return { name, type, dims, data: array.data }
  const narrowed = narrow({ ...array, name }, type)
  if (narrowed === undefined)
    throw new RangeError(`its elements are ${array.type} and the model wants ${describe(spec)}`)
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

const describe = ({ name, type, shape }: TensorSpec): string =>
  `input "${name}" ${type}[${shape.map(dim => dim ?? '?').join(', ')}]`
