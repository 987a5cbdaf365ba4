import { open, realpath, stat } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { RECOGNISED_BYTES, recogniseFile, recognisePointer } from '../recognise-file.ts'

/**
 * Bytes of a file that holds a model's external data. It must be one, no pointer to one, and lie in the model's folder in truth too: where
 * links lead out of it, as ONNX Runtime does, only what lies beside the file that the model itself is a link to is read.
 * @throws UserError that names the model, the tensor, the file and what is wrong
 */
export const externalFileSize = async (model: string, tensor: string, path: string): Promise<number> => {
  const data = `${model}: the external data ${path} of tensor "${tensor}"`
  try {
    const real = await realpath(path)
    const folders = [await realpath(dirname(model)), dirname(await realpath(model))]
    if (!folders.some(folder => real.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
      throw new UserError(
        `${data} is a link to ${real}, outside the model's folder; only files in the model's own folder are read: copy it there`
      )
    const found = await stat(real)
    if (found.isFile()) {
      const pointer = found.size <= RECOGNISED_BYTES ? recognisePointer(await headOf(real)) : undefined
      if (pointer !== undefined) throw new UserError(`${data} is ${pointer}`)
      return found.size
    }
    throw new UserError(
      `${data} is ${found.isDirectory() ? 'a folder' : 'a pipe or device'}, not a file; export the model again`
    )
  } catch (error) {
    if (error instanceof UserError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw new UserError(
      code === 'ENOENT'
        ? `${data} is missing; put it beside the model`
        : `${data} cannot be read: ${describeFileError(error)}`
    )
  }
}

/** What external data that are too short are instead, in words; undefined when they may be what they should. */
export const recogniseData = async (path: string): Promise<string | undefined> => recogniseFile(await headOf(path))

const headOf = async (path: string): Promise<Uint8Array> => {
  await using file = await open(path)
  const head = new Uint8Array(RECOGNISED_BYTES)
  const { bytesRead } = await file.read(head, 0, head.length)
  return head.subarray(0, bytesRead)
}
