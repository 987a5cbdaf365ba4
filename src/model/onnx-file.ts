import { dirname, isAbsolute, join, normalize, sep } from 'node:path'
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
  TensorProto_DataLocation
} from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import { bodiesOf } from './bodies-of.ts'
import { ELEMENT_BITS } from './element-bits.ts'

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

export function* attributeTensors(node: NodeProto): Iterable<TensorProto> {
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

/** What its shape and type take; undefined for types that this program does not know. */
export const neededBytes = ({ dataType, dims }: TensorProto): number | undefined => {
  const bits = ELEMENT_BITS[dataType]
  return bits === undefined ? undefined : Math.ceil((dims.reduce((a, b) => a * Number(b), 1) * bits) / 8)
}

/** Bytes of a tensor in raw or external data. @throws UserError when neither it nor its type says how many */
export const byteLength = (tensor: TensorProto, origin: string): number => {
  if (!isExternal(tensor)) return tensor.rawData.length
  const said = externalPlace(origin, tensor).length
  if (said !== undefined) return said
  const needed = neededBytes(tensor)
  if (needed === undefined)
    throw new UserError(`${origin}: tensor "${tensor.name}" does not say how long its external data is`)
  return needed
}
