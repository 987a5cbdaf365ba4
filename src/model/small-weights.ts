import { create } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { toHalf } from '../core/float16.ts'
import type { WeightFormat } from '../core/weight-choice.ts'
import { constantTensor } from './constant-tensor.ts'
import { messageWith } from './message-with.ts'
import { NamePool } from './name-pool.ts'
import { tensorType } from './tensor-type.ts'

/** What of a block this says, in the metadata of its model. */
export const WEIGHTS_PROPERTY = 'tributary.weights'

/** Elements; of fewer there is nothing to gain. Biases and what normalises are vectors, and stay. */
const LEAST = 1024
/** The largest finite half precision number. */
const LARGEST_HALF = 65_504
/** Initializers that a user may set: from this version of the format on. The runtime computes nothing of them ahead. */
const SETTABLE_FROM = 4n

/**
 * The block with its large float32 weights stored in fewer bits, and made float32 again in every run, right before the operator that
 * reads them: fp16 by rounding, int8 by a scale for each output channel (symmetric, the largest magnitude is 127). It computes in
 * float32 as before. Weights beyond the range of fp16, and those that a user may set, stay.
 *
 * Were they plain constants, ONNX Runtime would make them float32 once and for all when it loads the block, and nothing but the file would be
 * smaller. So they are initializers that may be set.
 * @param model its weights are in it, none in other files
 */
export const smallWeights = (model: ModelProto, format: WeightFormat): ModelProto => {
  const graph = model.graph!
  if (model.irVersion < SETTABLE_FROM) return model
  const pool = NamePool.of(graph)
  const users = usersOf(graph)
  const fixed = new Set([...graph.input, ...graph.output].map(({ name }) => name))
  const small = new Map<string, SmallWeight>()
  for (const tensor of [...graph.initializer, ...graph.node.flatMap(node => constantTensor(node) ?? [])]) {
    if (fixed.has(tensor.name) || !isLarge(tensor)) continue
    const stored = format === 'fp16' ? halves(tensor, pool) : bytesOf(tensor, users.get(tensor.name), pool)
    if (stored !== undefined) small.set(tensor.name, stored)
  }
  if (small.size === 0) return model
  const all = [...small.values()]
  const isSmall = (name: string): boolean => small.has(name)
  const settable = all.map(({ stored: { name, dataType, dims } }) =>
    create(ValueInfoProtoSchema, { name, type: tensorType(dataType, dims.map(Number)) })
  )
  return messageWith(ModelProtoSchema, model, {
    metadataProps: [
      ...model.metadataProps,
      create(StringStringEntryProtoSchema, { key: WEIGHTS_PROPERTY, value: format })
    ],
    graph: messageWith(GraphProtoSchema, graph, {
      name: `${graph.name} ${format}`,
      node: [
        ...all.flatMap(({ nodes }) => nodes),
        ...graph.node.filter(node => !(constantTensor(node) !== undefined && isSmall(node.output[0] ?? '')))
      ],
      initializer: [
        ...graph.initializer.filter(({ name }) => !isSmall(name)),
        ...all.flatMap(({ stored, scale }) => (scale === undefined ? [stored] : [stored, scale]))
      ],
      input: [...graph.input, ...settable]
    })
  })
}

interface SmallWeight {
  readonly stored: TensorProto
  readonly scale?: TensorProto
  /** They make the weight of it. */
  readonly nodes: readonly NodeProto[]
}

const isLarge = ({ dataType, dims }: TensorProto): boolean =>
  dataType === TensorProto_DataType.FLOAT && dims.length > 1 && dims.reduce((a, b) => a * Number(b), 1) >= LEAST

/** The first that reads it, and as which of its inputs. */
const usersOf = ({ node }: GraphProto): ReadonlyMap<string, { readonly node: NodeProto; readonly at: number }> => {
  const users = new Map<string, { readonly node: NodeProto; readonly at: number }>()
  for (const user of node)
    for (const [at, name] of user.input.entries()) if (!users.has(name)) users.set(name, { node: user, at })
  return users
}

const floatsOf = ({ rawData, floatData }: TensorProto): Float32Array =>
  rawData.length > 0 ? new Float32Array(new Uint8Array(rawData).buffer) : Float32Array.from(floatData)

const halves = (tensor: TensorProto, pool: NamePool): SmallWeight | undefined => {
  const floats = floatsOf(tensor)
  if (!floats.every(x => Math.abs(x) <= LARGEST_HALF)) return undefined
  const stored = stores(
    tensor,
    TensorProto_DataType.FLOAT16,
    new Uint8Array(Uint16Array.from(floats, toHalf).buffer),
    pool
  )
  return { stored, nodes: [asFloats(stored.name, tensor.name, pool)] }
}

const bytesOf = (
  tensor: TensorProto,
  user: { readonly node: NodeProto; readonly at: number } | undefined,
  pool: NamePool
) => {
  const floats = floatsOf(tensor)
  if (!floats.every(Number.isFinite)) return undefined
  const dims = tensor.dims.map(Number)
  const axis = channelAxis(dims.length, user)
  const { quantised, scales } = byChannel(floats, dims, axis)
  const stored = stores(tensor, TensorProto_DataType.INT8, new Uint8Array(quantised.buffer), pool)
  const scale = create(TensorProtoSchema, {
    name: pool.fresh(`${tensor.name}/scale`),
    dataType: TensorProto_DataType.FLOAT,
    dims: dims.map((dim, d) => BigInt(d === axis ? dim : 1)),
    rawData: new Uint8Array(scales.buffer)
  })
  const whole = pool.fresh(`${tensor.name}/whole`)
  const scaled = create(NodeProtoSchema, {
    ...{ name: pool.fresh(`${tensor.name}/scaled`), opType: 'Mul' },
    ...{ input: [whole, scale.name], output: [tensor.name] }
  })
  return { stored, scale, nodes: [asFloats(stored.name, whole, pool), scaled] }
}

/** Their weights have a row for each gate of each unit, for each direction. */
const RECURRENT: ReadonlySet<string> = new Set(['LSTM', 'GRU', 'RNN'])

/** Along which a weight has its output channels: what shares a scale is summed up together. */
const channelAxis = (rank: number, user: { readonly node: NodeProto; readonly at: number } | undefined): number => {
  const { node, at } = user ?? { node: undefined, at: 0 }
  if (node?.opType === 'ConvTranspose') return 1
  if (node?.opType === 'Gemm' && at === 1)
    return node.attribute.some(({ name, i }) => name === 'transB' && i !== 0n) ? 0 : 1
  if (node?.opType === 'MatMul' && at === 1) return rank - 1
  if (RECURRENT.has(node?.opType ?? '')) return 1
  if (node?.opType === 'Attention' && node.domain === 'com.microsoft') return rank - 1
  return 0
}

const byChannel = (
  floats: Float32Array,
  dims: readonly number[],
  axis: number
): { readonly quantised: Int8Array<ArrayBuffer>; readonly scales: Float32Array<ArrayBuffer> } => {
  const channels = dims[axis]!
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1)
  const channelAt = (i: number): number => Math.floor(i / inner) % channels
  const scales = new Float32Array(channels)
  for (const [i, x] of floats.entries()) {
    const c = channelAt(i)
    scales[c] = Math.max(scales[c]!, Math.abs(x))
  }
  for (const [c, largest] of scales.entries()) scales[c] = largest > 0 ? largest / 127 : 1
  const quantised = new Int8Array(floats.length)
  for (const [i, x] of floats.entries())
    quantised[i] = Math.max(-127, Math.min(127, Math.round(x / scales[channelAt(i)]!)))
  return { quantised, scales }
}

const stores = (
  { name, dims }: TensorProto,
  dataType: TensorProto_DataType,
  rawData: Uint8Array<ArrayBuffer>,
  pool: NamePool
) => create(TensorProtoSchema, { name: pool.fresh(`${name}/stored`), dataType, dims, rawData })

/** By a Cast: DequantizeLinear knows channels only in newer models, and ONNX Runtime merges it with what reads it, which computes otherwise. */
const asFloats = (input: string, output: string, pool: NamePool): NodeProto =>
  create(NodeProtoSchema, {
    ...{ name: pool.fresh(`${output}/floats`), opType: 'Cast', input: [input], output: [output] },
    attribute: [{ name: 'to', type: AttributeProto_AttributeType.INT, i: BigInt(TensorProto_DataType.FLOAT) }]
  })
