import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize, sep } from 'node:path'
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
  TensorProto_DataLocation
} from 'onnx-buf'
import { describeFileError } from '../core/describe-file-error.ts'
import { UserError } from '../core/user-error.ts'
import { bodiesOf } from './bodies-of.ts'
import { ELEMENT_BITS } from './element-bits.ts'
import { externalFileSize, recogniseData } from './external-file.ts'
import { parseOnnx } from './parse-onnx.ts'
import { RECOGNISED_BYTES, recogniseFile } from './recognise-file.ts'
import { sha256Of } from './sha256-of.ts'

/** A model as it was read: its weights are views into the file's bytes, or stay in the files that it names. */
export interface OnnxFile {
  readonly path: string
  readonly model: ModelProto
  readonly graph: GraphProto
  /** Of the file itself, as any tool computes it. */
  readonly sha256: string
  /** SHA-256 of the file and of all external data: two models with the same one are the same. */
  readonly identity: string
  /** Version of the default operator set. */
  readonly opset: number
  /** Of a graph that was prepared: where each node stands in the file, for messages. */
  readonly origins?: ReadonlyMap<NodeProto, string>
  /** What a user should know of how the file was understood. */
  readonly notes?: readonly string[]
}

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

export const isDefaultDomain = (domain: string): boolean => domain === '' || domain === 'ai.onnx'

export const isExternal = (tensor: TensorProto): boolean => tensor.dataLocation === TensorProto_DataLocation.EXTERNAL

export interface ExternalPlace {
  /** Absolute or relative to the working directory, ready to open. */
  readonly path: string
  readonly offset: number
  readonly length: number | undefined
}

/** Where an external tensor's bytes are. @throws UserError when its location leaves the model's folder */
export const externalPlace = (modelPath: string, tensor: TensorProto): ExternalPlace => {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
  const location = normalize(entries.get('location') ?? '')
  if (location === '.' || isAbsolute(location) || location.split(sep).includes('..')) {
    throw new UserError(
      `${modelPath}: tensor "${tensor.name}" keeps its data in "${entries.get('location') ?? ''}"; only files in the model's own folder are read`
    )
  }
  const number = (key: string): number | undefined => {
    const text = entries.get(key)
    if (text === undefined || (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))))
      return text === undefined ? undefined : Number(text)
    throw new UserError(
      `${modelPath}: tensor "${tensor.name}" gives the ${key} of its external data as "${text}"; a whole number of bytes is needed: export the model again`
    )
  }
  return { path: join(dirname(modelPath), location), offset: number('offset') ?? 0, length: number('length') }
}

/** Every tensor that the graph and its subgraphs hold: initializers, and tensors in attributes. */
export function* heldTensors(graph: GraphProto): Iterable<TensorProto> {
  yield* graph.initializer
  for (const sparse of graph.sparseInitializer) yield* sparseTensors(sparse)
  for (const node of graph.node) yield* attributeTensors(node)
}

function* attributeTensors(node: NodeProto): Iterable<TensorProto> {
  for (const attribute of node.attribute) {
    if (attribute.t !== undefined) yield attribute.t
    yield* attribute.tensors
    const { sparseTensor, sparseTensors: more } = attribute
    for (const sparse of sparseTensor === undefined ? more : [sparseTensor, ...more]) yield* sparseTensors(sparse)
  }
  for (const body of bodiesOf(node)) yield* heldTensors(body)
}

const sparseTensors = ({ values, indices }: SparseTensorProto): TensorProto[] =>
  [values, indices].filter(tensor => tensor !== undefined)

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

/** What its shape and type take; undefined for types that this program does not know. */
export const neededBytes = ({ dataType, dims }: TensorProto): number | undefined => {
  const bits = ELEMENT_BITS[dataType]
  return bits === undefined ? undefined : Math.ceil((dims.reduce((a, b) => a * Number(b), 1) * bits) / 8)
}

const addFile = async (hash: ReturnType<typeof createHash>, path: string): Promise<void> => {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
}
