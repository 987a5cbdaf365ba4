import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import type { ModelProto } from 'onnx-buf'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import {
  attributeTensors,
  externalPlace,
  heldTensors,
  isDefaultDomain,
  isExternal,
  neededBytes,
  type OnnxFile
} from '../onnx-file.ts'
import { parseOnnx } from '../parse-onnx.ts'
import { RECOGNISED_BYTES, recogniseFile } from '../recognise-file.ts'
import { sha256Of } from '../sha256-of.ts'
import { externalFileSize, recogniseData } from './external-file.ts'

/** Protocol buffers end at 2 GiB; a larger model keeps its weights in other files. */
const MAX_BYTES = 2 ** 31 - 1

/**
 * Read an ONNX model and check what later steps rely on: it is one, whole, and the external data it names is there.
 * @throws UserError that names the file, the node or tensor, and the reason
 */
export const readOnnxFile = async (path: string): Promise<OnnxFile> => {
  const bytes = await readBytes(path)
  const model = parseOnnx(path, bytes)
  const graph = model.graph!
  const file = {
    path,
    model,
    graph,
    opset: Number(model.opsetImport.find(o => isDefaultDomain(o.domain))?.version ?? 0)
  }
  const sha256 = await sha256Of(bytes)
  const others = await checkExternalData(path, model)
  const hash = createHash('sha256').update(sha256)
  for (const location of others) await addFile(hash, location)
  return { ...file, sha256, identity: others.length === 0 ? sha256 : hash.digest('hex') }
}

const readBytes = async (path: string): Promise<Uint8Array> => {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw new Error('not a file; name the .onnx file')
    const { size } = found
    if (size > MAX_BYTES)
      throw new Error(
        (await notAModel(path)) ?? `${size} bytes, at most ${MAX_BYTES} fit one ONNX file; save it with external data`
      )
    return await readFile(path)
  } catch (error) {
    throw new UserError(`${path}: ${describeFileError(error)}`)
  }
}

/** Of a file that is too large to be read whole. */
const notAModel = async (path: string): Promise<string | undefined> => {
  await using file = await open(path)
  const head = new Uint8Array(RECOGNISED_BYTES)
  await file.read(head, 0, head.length)
  const kind = recogniseFile(head)
  return kind === undefined ? undefined : `not an ONNX model: ${kind}`
}

/** @returns the files of external data, each once, in a fixed order */
const checkExternalData = async (path: string, { graph, functions }: ModelProto): Promise<string[]> => {
  const sizes = new Map<string, number>()
  const inFunctions = functions.flatMap(f => f.node.flatMap(node => [...attributeTensors(node)]))
  for (const tensor of [...heldTensors(graph!), ...inFunctions]) {
    if (!isExternal(tensor)) continue
    const place = externalPlace(path, tensor)
    const size = sizes.get(place.path) ?? (await externalFileSize(path, tensor.name, place.path))
    sizes.set(place.path, size)
    const needed = neededBytes(tensor)
    if (place.length !== undefined && needed !== undefined && place.length !== needed) {
      throw new UserError(
        `${path}: tensor "${tensor.name}" of ${needed} bytes says that ${place.length} lie in ${place.path}; export the model again`
      )
    }
    const end = place.offset + (place.length ?? needed ?? 0)
    if (!(place.offset >= 0 && end <= size)) {
      const kind = await recogniseData(place.path)
      const instead = kind === undefined ? 'the file is cut short' : `it is ${kind}`
      throw new UserError(
        `${path}: tensor "${tensor.name}" ends at byte ${end} of ${place.path}, which has ${size}; ${instead}`
      )
    }
  }
  return [...sizes.keys()].sort()
}

const addFile = async (hash: ReturnType<typeof createHash>, path: string): Promise<void> => {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
}
