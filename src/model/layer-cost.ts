import type { AttributeProto, NodeProto } from 'onnx-buf'
import type { GraphAnalysis, Layer } from './graph-analysis.ts'
import { isDefaultDomain } from './onnx-file.ts'
import type { TensorFacts } from './tensor-facts.ts'

export interface LayerCost {
  readonly flops: number
  /** Seconds on a nominal core: arithmetic, memory traffic and the call. For balance, not for prediction. */
  readonly work: number
}

/** A nominal core; only the proportions matter, and that they are the same on every machine. */
const FLOPS_PER_SECOND = 40e9
const BYTES_PER_SECOND = 8e9
const SECONDS_PER_NODE = 3e-6

/** What a node does: in floating-point operations, in bytes that it reads and writes, as floats, and in calls. */
export interface NodeCost {
  readonly flops: number
  readonly bytes: number
  readonly nodes: number
}

/**
 * What each layer costs at the shapes that the facts were found at. Floating-point operations: a multiply-add counts two.
 * @param bodies what the bodies of layers that have some cost
 */
export const layerCosts = (
  analysis: GraphAnalysis,
  facts: TensorFacts,
  bodies: ReadonlyMap<NodeProto, NodeCost> = new Map()
): LayerCost[] => {
  const merged = mergedTensors(analysis)
  return analysis.layers.map(layer => {
    const inside = bodies.get(layer.node)
    if (inside !== undefined) {
      const seconds = Math.max(inside.flops / FLOPS_PER_SECOND, inside.bytes / BYTES_PER_SECOND)
      return { flops: inside.flops, work: seconds + SECONDS_PER_NODE * (1 + inside.nodes) }
    }
    const flops = nodeFlops(layer.node, name => facts.of(name).dims ?? [])
    const isMerged = layer.reads.some(name => merged.has(name))
    const moved = isMerged ? layer.reads.filter(name => !merged.has(name)) : [...readNearly(layer), ...layer.writes]
    const traffic = moved.reduce((sum, name) => sum + facts.bytes(name), 0)
    const seconds = Math.max(isMerged ? 0 : flops / FLOPS_PER_SECOND, traffic / BYTES_PER_SECOND)
    return { flops, work: seconds + (isMerged ? 0 : SECONDS_PER_NODE) }
  })
}

/** Tensors that never exist: the runtime computes the step that reads them while it writes what comes before. */
const mergedTensors = ({ layers, consumers }: GraphAnalysis): ReadonlySet<string> => {
  const fromHeavy = new Set<string>()
  const merged = new Set<string>()
  for (const { node, reads, writes } of layers) {
    const inside = APPENDED.has(node.opType) ? reads.filter(name => fromHeavy.has(name)) : []
    for (const name of inside.slice(0, 1)) merged.add(name)
    const isEnd = inside.length > 0 || PRODUCTS.has(node.opType)
    if (isEnd) for (const name of writes) if (consumers.get(name)?.length === 1) fromHeavy.add(name)
  }
  return merged
}

const PRODUCTS = new Set(['Conv', 'MatMul', 'Gemm'])
const APPENDED = new Set(['BatchNormalization', 'Add', 'Relu', 'Clip', 'LeakyRelu', 'Sigmoid', 'Tanh', 'HardSigmoid'])

/** What it reads of; a lookup reads of its table no more than it writes. */
const readNearly = ({ node, reads, writes }: Layer): readonly string[] =>
  LOOKUPS.has(node.opType) ? [...reads.filter(name => name !== node.input[0]), ...writes] : reads

const LOOKUPS = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice'])

/** Of a node inside of a body. */
export const nodeCost = (node: NodeProto, dimsOf: (name: string) => readonly number[] | undefined): NodeCost => {
  const names = [...node.input, ...node.output].filter(name => name !== '')
  const bytes = names.reduce((sum, name) => sum + 4 * (dimsOf(name) === undefined ? 0 : size(dimsOf(name)!)), 0)
  return { flops: nodeFlops(node, name => dimsOf(name) ?? []), bytes, nodes: 1 }
}

const nodeFlops = (node: NodeProto, dimsOf: (name: string) => readonly number[]): number => {
  const dims = (name: string | undefined): readonly number[] => (name === undefined ? [] : dimsOf(name))
  const out = size(dims(node.output.find(name => name !== '')))
  if (!isDefaultDomain(node.domain) && node.domain !== 'com.microsoft') return out
  switch (node.opType) {
    case 'Conv':
    case 'ConvInteger':
    case 'FusedConv':
      return 2 * out * size(dims(node.input[1]).slice(1))
    case 'QLinearConv':
      return 2 * out * size(dims(node.input[3]).slice(1))
    case 'ConvTranspose':
      return 2 * size(dims(node.input[0])) * size(dims(node.input[1]).slice(1))
    case 'MatMulNBits':
      return 2 * out * intOf(node, 'K')
    case 'MatMul':
    case 'FusedMatMul':
    case 'MatMulInteger':
    case 'QLinearMatMul':
      return 2 * out * (dims(node.input[0]).at(-1) ?? 1)
    case 'Gemm':
    case 'FusedGemm':
      return 2 * out * (intOf(node, 'transA') === 1 ? (dims(node.input[0])[0] ?? 1) : (dims(node.input[0])[1] ?? 1))
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return recurrentFlops(node, dims)
    case 'MaxPool':
    case 'AveragePool':
      return out * intsOf(node, 'kernel_shape').reduce((a, b) => a * b, 1)
    case 'Softmax':
    case 'LogSoftmax':
      return 5 * out
    case 'LayerNormalization':
    case 'BatchNormalization':
    case 'InstanceNormalization':
      return 4 * out
    case 'Reshape':
    case 'Transpose':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
    case 'Identity':
    case 'Shape':
    case 'Concat':
    case 'Slice':
    case 'Split':
    case 'Gather':
    case 'Cast':
    case 'Expand':
    case 'Pad':
      return 0
    default: // elementwise, or a reduction, which reads each element once
      return Math.max(
        out,
        node.opType.startsWith('Reduce') || node.opType.startsWith('Global') ? size(dims(node.input[0])) : 0
      )
  }
}

/** Steps x batch x directions x gates x hidden x (input + hidden), a multiply-add each. */
const recurrentFlops = (node: NodeProto, dims: (name: string | undefined) => readonly number[]): number => {
  const [steps = 1, batch = 1, input = 1] = dims(node.input[0])
  const [directions = 1, gatesTimesHidden = 1] = dims(node.input[1])
  const hidden = dims(node.input[2]).at(-1) ?? 1
  return 2 * steps * batch * directions * gatesTimesHidden * (input + hidden)
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1)

const attribute = (node: NodeProto, name: string): AttributeProto | undefined =>
  node.attribute.find(a => a.name === name)
const intOf = (node: NodeProto, name: string): number => Number(attribute(node, name)?.i ?? 0)
const intsOf = (node: NodeProto, name: string): readonly number[] => (attribute(node, name)?.ints ?? []).map(Number)
