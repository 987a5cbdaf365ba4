import type { NodeProto } from 'onnx-buf'
import type { GraphAnalysis } from './graph-analysis.ts'
import { aliveAt } from './liveness.ts'
import { isDefaultDomain } from './onnx-file.ts'
import type { TensorFacts } from './tensor-facts.ts'

/** A place between layers where the model may be cut. */
export interface CutPoint {
  /** The first layer after the cut. */
  readonly position: number
  readonly tensors: readonly string[]
  readonly bytes: number
  /** Bytes, weighed by what becomes of them: what the runtime can no longer keep in its own layout costs more. */
  readonly burden: number
}

/** Operators whose result ONNX Runtime merges with what follows. */
const HEAVY = new Set([
  'Conv',
  'ConvTranspose',
  'MatMul',
  'Gemm',
  'FusedConv',
  'QLinearConv',
  'QLinearMatMul',
  'ConvInteger',
  'MatMulInteger'
])
const NORMALISATION = new Set([
  'BatchNormalization',
  'InstanceNormalization',
  'LayerNormalization',
  'GroupNormalization'
])
const ACTIVATION = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Clip',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Tanh',
  'Elu',
  'Selu',
  'Softplus',
  'Gelu',
  'Mish',
  'Erf',
  'Swish'
])
const ARITHMETIC = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Sqrt',
  'Exp',
  'Neg',
  'Reciprocal',
  'Sum',
  'Where',
  'Max',
  'Min',
  'Abs'
])
const REDUCTION = new Set(['ReduceMean', 'ReduceSum', 'ReduceMax', 'Softmax', 'LogSoftmax'])
const SHAPE = new Set([
  'Shape',
  'Gather',
  'Slice',
  'Concat',
  'Unsqueeze',
  'Squeeze',
  'Reshape',
  'Transpose',
  'Cast',
  'Expand',
  'ConstantOfShape',
  'Flatten',
  'Identity',
  'Range'
])

/**
 * Where the model may be cut: everything that crosses has a type that can travel, something crosses, and no pair of
 * nodes that the runtime would merge is parted. If that leaves nothing, pairs may be parted.
 */
export const findCutPoints = (analysis: GraphAnalysis, facts: TensorFacts): CutPoint[] => {
  const all = possibleCutPoints(analysis, facts)
  const spanned = positionsInsidePairs(analysis, facts)
  const clean = all.filter(({ position }) => !spanned.has(position))
  return clean.length > 0 ? clean : all
}

/** Every place where the cut model computes the same, whatever it costs. */
export const possibleCutPoints = (analysis: GraphAnalysis, facts: TensorFacts): CutPoint[] => {
  const burdens = new Map(analysis.layers.flatMap(l => l.writes.map(name => [name, burdenOf(name, analysis, facts)])))
  return aliveAt(analysis)
    .slice(1, -1)
    .flatMap((tensors, i): CutPoint[] => {
      const travels = tensors.length > 0 && tensors.every(name => facts.of(name).type !== undefined)
      const bytes = tensors.reduce((sum, name) => sum + facts.bytes(name), 0)
      const burden = tensors.reduce((sum, name) => sum + (burdens.get(name) ?? facts.bytes(name)), 0)
      return travels ? [{ position: i + 1, tensors, bytes, burden }] : []
    })
}

/** Operators that join images: on tensors of the runtime's blocked layout without a copy, across a cut with one. */
const JOINS = new Set(['Add', 'Sum', 'Mul', 'Concat'])
/**
 * What a join costs besides: one more pass, by which the image enters in the blocked layout (blocked-entry.ts). With 2.8,
 * measured before there was such an entry, MobileNetV2 in four parts costs 8.5 % instead of 6 %.
 */
const JOINED = 1.5

/** What changing the layout of an image costs besides, in bytes: a pass over it on either side. */
const REORDER = 128 * 1024

/** Convolutions run in a layout of their own; an image that comes from outside does not have it. */
const burdenOf = (name: string, { layers, consumers }: GraphAnalysis, facts: TensorFacts): number => {
  const size = facts.bytes(name)
  const dims = facts.of(name).dims ?? facts.of(name).shape
  if (dims?.length !== 4 || (dims[2] === 1 && dims[3] === 1)) return size
  const isJoined = (consumers.get(name) ?? []).some(reader => JOINS.has(layers[reader]!.node.opType))
  return size * (isJoined ? JOINED : 1) + REORDER
}

/** What the runtime merges stands close together; a mask made at the start and read in every layer parts nothing. */
const NEAR = 16

/** Positions between two nodes that belong together. */
const positionsInsidePairs = (analysis: GraphAnalysis, facts: TensorFacts): ReadonlySet<number> => {
  const { layers, producer, consumers } = analysis
  const inside = new Set<number>()
  for (const [to, layer] of layers.entries()) {
    for (const name of layer.reads) {
      const from = producer.get(name)
      if (from === undefined) continue
      const readers = consumers.get(name)!.length
      if (to - from > NEAR) continue
      if (belongTogether(layers[from]!.node, layer.node, readers, facts.bytes(name))) {
        for (let p = from + 1; p <= to; p++) inside.add(p)
      }
    }
  }
  return inside
}

/** A tensor this small says more about control (shapes, masks, scales) than about data. */
const SMALL = 256

const belongTogether = (from: NodeProto, to: NodeProto, readers: number, size: number): boolean => {
  if (!isDefaultDomain(from.domain) || !isDefaultDomain(to.domain)) return false
  if (to.opType === 'QuantizeLinear' || from.opType === 'DequantizeLinear' || from.opType === 'DynamicQuantizeLinear')
    return true
  const light = (type: string): boolean => ACTIVATION.has(type) || ARITHMETIC.has(type) || NORMALISATION.has(type)
  const chain = (type: string): boolean => light(type) || REDUCTION.has(type) || SHAPE.has(type)
  if (size <= SMALL && (SHAPE.has(from.opType) || SHAPE.has(to.opType))) return true
  if (readers === 1 && (HEAVY.has(from.opType) || NORMALISATION.has(from.opType)) && light(to.opType)) return true
  if (readers === 1 && ARITHMETIC.has(from.opType) && ACTIVATION.has(to.opType)) return true
  if (from.opType === 'MatMul' && (chain(to.opType) || to.opType === 'MatMul') && readers === 1) return true
  if (to.opType === 'MatMul' && (from.opType === 'Softmax' || from.opType === 'Transpose')) return true
  // Inside a decomposed normalisation or activation every step is elementwise or a reduction of the same tensor.
  return readers === 1 && chain(from.opType) && chain(to.opType)
}
