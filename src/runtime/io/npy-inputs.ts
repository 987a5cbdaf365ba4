import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import type { FileItem } from './file-item.ts'
import { type FilePath, shownPath, withEnding } from './file-path.ts'
import { fileSafe } from './file-safe.ts'
import { fitTensor } from './fit-tensor.ts'
import { decodeNpy } from './npy.ts'
import { readRegularFile } from './read-regular-file.ts'

/** A tensor larger than this is a mistake. */
const MAX_BYTES = 2 ** 30

/** What the files of one item end in: with several inputs NAME.INPUT.npy, with one the item is the file. */
export const npySuffixes = (inputs: readonly Pick<TensorSpec, 'name'>[]): readonly string[] =>
  inputs.length === 1 ? [] : fileSafe(inputs.map(({ name }) => name)).map(name => `.${name}.npy`)

/** Where the files of one item are, in the order of the inputs. */
export const npyPaths = (item: FileItem, inputs: readonly Pick<TensorSpec, 'name'>[]): readonly FilePath[] => {
  const suffixes = npySuffixes(inputs)
  return suffixes.length === 0 ? [item.path] : suffixes.map(suffix => withEnding(item.path, suffix))
}

/** @throws ItemUnavailable when a file is missing, UserError when it is not .npy, or not what the model's input takes */
export const readNpyInputs = async (item: FileItem, inputs: readonly TensorSpec[]): Promise<readonly Tensor[]> => {
  const paths = npyPaths(item, inputs)
  const tensors: Tensor[] = []
  for (const [i, spec] of inputs.entries()) {
    tensors.push(await readNpyInput(paths[i] ?? item.path, spec))
  }
  return tensors
}

/** @throws ItemUnavailable when the file is missing, UserError when it is not .npy, or not what this input takes */
export const readNpyInput = async (path: FilePath, spec: TensorSpec): Promise<Tensor> => {
  const file = await readRegularFile(path, MAX_BYTES, '1 GiB, the limit of one tensor')
  try {
    return fitTensor(decodeNpy(file), spec)
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${shownPath(path)}: ${error.message}`)
    throw error
  }
}
