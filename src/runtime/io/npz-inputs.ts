import { unzipSync } from 'fflate'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { type FilePath, shownPath } from './file-path.ts'
import { fitTensor } from './fit-tensor.ts'
import { decodeNpy } from './npy.ts'
import { readRegularFile } from './read-regular-file.ts'

/** An archive, and what it unpacks to, that is larger than this is a mistake. */
const MAX_BYTES = 2 ** 30

export const isNpz = (path: FilePath): boolean => shownPath(path).endsWith('.npz')

/**
 * All inputs of an item from one archive, as `numpy.savez(file, input=array)` writes it.
 * @throws ItemUnavailable when the file is missing, UserError when it is no .npz, or not what the model's inputs take
 */
export const readNpzInputs = async (path: FilePath, inputs: readonly TensorSpec[]): Promise<readonly Tensor[]> => {
  const file = await readRegularFile(path, MAX_BYTES, '1 GiB, the limit of one item')
  const where = shownPath(path)
  const members = unpack(file, new Set(inputs.map(({ name }) => `${name}.npy`)), where)
  return inputs.map(spec => {
    const member = members.get(`${spec.name}.npy`)
    if (member === undefined)
      throw new UserError(`${where}: has no array "${spec.name}"; save it with numpy.savez(file, ${spec.name}=...)`)
    try {
      return fitTensor(decodeNpy(member), spec)
    } catch (error) {
      if (error instanceof RangeError) throw new UserError(`${where}: "${spec.name}": ${error.message}`)
      throw error
    }
  })
}

/** What it says that it unpacks to is looked at before memory is taken for it. */
const unpack = (file: Uint8Array, wanted: ReadonlySet<string>, where: string): ReadonlyMap<string, Uint8Array> => {
  let total = 0
  try {
    const members = unzipSync(file, {
      filter: ({ name, originalSize }) => {
        if (!wanted.has(name)) return false
        total += originalSize
        if (total > MAX_BYTES) throw new UserError(`${where}: unpacks to more than 1 GiB, the limit of one item`)
        return true
      }
    })
    return new Map(Object.entries(members))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${where}: is not an .npz archive that can be read: ${(error as Error).message}`)
  }
}
