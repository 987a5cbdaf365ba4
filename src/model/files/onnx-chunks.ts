import { open } from 'node:fs/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema
} from 'onnx-buf'
import { UserError } from '../../core/user-error.ts'
import { byteLength, externalPlace, heldTensors, isExternal } from '../onnx-file.ts'

/** Field numbers of onnx.proto3, with wire type 2 (length-delimited). */
const MODEL_GRAPH = (7 << 3) | 2
const GRAPH_INITIALIZER = (5 << 3) | 2
const TENSOR_RAW_DATA = (9 << 3) | 2

/** Smaller weights are copied into the message; larger ones go from where they are to where they are written. */
const LARGE = 4096
const PIECE = 1 << 20
const MAX_BYTES = 2 ** 31 - 1

/**
 * The bytes of a model, piece by piece, so that no second copy of its weights is ever in memory. External data is read
 * on the way and becomes part of the bytes. Deterministic: the same model gives the same bytes.
 *
 * @param origin the file that the model was read from: external data lies beside it
 * @throws UserError when the result would exceed the 2 GiB that an ONNX file can have
 */
export async function* onnxChunks(model: ModelProto, origin: string): AsyncGenerator<Uint8Array> {
  const graph = model.graph!
  const large = graph.initializer.filter(isLarge)
  const small = await Promise.all(graph.initializer.filter(t => !isLarge(t)).map(t => internal(t, origin)))
  const node = await Promise.all(graph.node.map(n => withInnerData(n, origin)))
  const sparseInitializer = await Promise.all(graph.sparseInitializer.map(t => internalSparse(t, origin)))
  const body = toBinary(GraphProtoSchema, { ...graph, node, initializer: small, sparseInitializer })
  const heads = large.map(tensor => tensorHead(tensor, byteLength(tensor, origin)))
  const graphLength =
    body.length + heads.reduce((sum, head, i) => sum + framed(head.length + byteLength(large[i]!, origin)), 0)
  const functions = await Promise.all(model.functions.map(f => withInnerFunction(f, origin)))
  const rest = toBinary(ModelProtoSchema, { ...withoutGraph(model), functions })
  if (rest.length + framed(graphLength) > MAX_BYTES) {
    throw new UserError(
      `${origin}: a block of ${graphLength} bytes does not fit one ONNX file (2 GiB); cut it into more parts`
    )
  }
  yield rest
  yield tag(MODEL_GRAPH, graphLength)
  yield body
  for (const [i, tensor] of large.entries()) {
    yield tag(GRAPH_INITIALIZER, heads[i]!.length + byteLength(tensor, origin))
    yield heads[i]!
    yield* rawBytes(tensor, origin)
  }
}

const isLarge = (tensor: TensorProto): boolean => isExternal(tensor) || tensor.rawData.length >= LARGE

/** The tensor without its bytes, and the tag that announces them. */
const tensorHead = (tensor: TensorProto, length: number): Uint8Array => {
  const { rawData: _, externalData: __, dataLocation: ___, ...facts } = tensor
  const head = create(TensorProtoSchema, {
    ...facts,
    rawData: new Uint8Array(),
    externalData: [],
    dataLocation: TensorProto_DataLocation.DEFAULT
  })
  return concat(toBinary(TensorProtoSchema, head), tag(TENSOR_RAW_DATA, length))
}

/** What lies in the tensor, or in the file that it names. */
export async function* rawBytes(tensor: TensorProto, origin: string): AsyncGenerator<Uint8Array> {
  if (!isExternal(tensor)) {
    yield tensor.rawData
    return
  }
  const { path, offset } = externalPlace(origin, tensor)
  const length = byteLength(tensor, origin)
  const file = await open(path)
  try {
    for (let done = 0; done < length; ) {
      const piece = new Uint8Array(Math.min(PIECE, length - done))
      const { bytesRead } = await file.read(piece, 0, piece.length, offset + done)
      if (bytesRead === 0) throw new UserError(`${path}: ends before the data of tensor "${tensor.name}"`)
      done += bytesRead
      yield piece.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** A tensor that lies outside, brought in. */
export const internal = async (tensor: TensorProto, origin: string): Promise<TensorProto> => {
  if (!isExternal(tensor)) return tensor
  const pieces: Uint8Array[] = []
  for await (const piece of rawBytes(tensor, origin)) pieces.push(piece)
  return { ...tensor, rawData: concat(...pieces), externalData: [], dataLocation: TensorProto_DataLocation.DEFAULT }
}

const internalSparse = async (sparse: SparseTensorProto, origin: string): Promise<SparseTensorProto> => ({
  ...sparse,
  ...(sparse.values === undefined ? {} : { values: await internal(sparse.values, origin) }),
  ...(sparse.indices === undefined ? {} : { indices: await internal(sparse.indices, origin) })
})

/** A node whose attributes or bodies keep data in other files, with that data brought in. */
const withInnerData = async (node: NodeProto, origin: string): Promise<NodeProto> => {
  const hold = create(GraphProtoSchema, { node: [node] })
  if (![...heldTensors(hold)].some(isExternal)) return node
  const attribute = await Promise.all(
    node.attribute.map(async a => {
      const graphs = await Promise.all(a.graphs.map(g => withInnerBody(g, origin)))
      const tensors = await Promise.all(a.tensors.map(t => internal(t, origin)))
      const sparseTensors = await Promise.all(a.sparseTensors.map(t => internalSparse(t, origin)))
      const t = a.t === undefined ? {} : { t: await internal(a.t, origin) }
      const g = a.g === undefined ? {} : { g: await withInnerBody(a.g, origin) }
      const sparse = a.sparseTensor === undefined ? {} : { sparseTensor: await internalSparse(a.sparseTensor, origin) }
      return { ...a, graphs, tensors, sparseTensors, ...t, ...g, ...sparse }
    })
  )
  return { ...node, attribute }
}

const withInnerBody = async (body: GraphProto, origin: string): Promise<GraphProto> => ({
  ...body,
  initializer: await Promise.all(body.initializer.map(t => internal(t, origin))),
  sparseInitializer: await Promise.all(body.sparseInitializer.map(t => internalSparse(t, origin))),
  node: await Promise.all(body.node.map(n => withInnerData(n, origin)))
})

const withInnerFunction = async (fn: FunctionProto, origin: string): Promise<FunctionProto> => ({
  ...fn,
  node: await Promise.all(fn.node.map(n => withInnerData(n, origin)))
})

const withoutGraph = (model: ModelProto): ModelProto => {
  const { graph: _, ...rest } = model
  return create(ModelProtoSchema, rest as ModelProto)
}

const varint = (value: number): number[] => {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest]
    out.push((rest % 128) | 128)
  }
}

const tag = (field: number, length: number): Uint8Array => Uint8Array.from([...varint(field), ...varint(length)])

/** Length of a field with its tag (one byte) and length. */
const framed = (length: number): number => 1 + varint(length).length + length

const concat = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
