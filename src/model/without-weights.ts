import { create } from '@bufbuild/protobuf'
import { type GraphProto, type NodeProto, type TensorProto, ValueInfoProtoSchema } from 'onnx-buf'
import { DATA_TYPE } from './element-bits.ts'
import { isDefaultDomain, isExternal } from './onnx-file.ts'
import { tensorType } from './tensor-type.ts'

/** Up to here a tensor may be a shape, axes or scales, whose values decide the types of others. */
const LARGE_BYTES = 4096
const TRAVELLING = new Set<number>(Object.values(DATA_TYPE))

/**
 * The same graph with its large weights as inputs: types and shapes come out the same, and no weight is in memory. For
 * asking, not for running.
 */
export const withoutWeights = (graph: GraphProto): GraphProto => {
  const weights = [...graph.initializer.filter(isWeight), ...graph.node.flatMap(node => constantWeight(node) ?? [])]
  if (weights.length === 0) return graph
  const names = new Set(weights.map(tensor => tensor.name))
  return {
    ...graph,
    initializer: graph.initializer.filter(tensor => !names.has(tensor.name)),
    node: graph.node.filter(node => constantWeight(node) === undefined),
    input: [...graph.input.filter(input => !names.has(input.name)), ...weights.map(asInput)]
  }
}

const isWeight = (tensor: TensorProto): boolean =>
  (isExternal(tensor) || tensor.rawData.length > LARGE_BYTES) && TRAVELLING.has(tensor.dataType)

/** What a Constant node stands for, where that is written as a tensor. */
export const constantTensor = (node: NodeProto): TensorProto | undefined => {
  if (node.opType !== 'Constant' || !isDefaultDomain(node.domain)) return undefined
  const tensor = node.attribute.find(a => a.name === 'value')?.t
  return tensor === undefined ? undefined : { ...tensor, name: node.output[0]! }
}

const constantWeight = (node: NodeProto): TensorProto | undefined => {
  const tensor = constantTensor(node)
  return tensor !== undefined && isWeight(tensor) ? tensor : undefined
}

const asInput = ({ name, dataType, dims }: TensorProto) =>
  create(ValueInfoProtoSchema, { name, type: tensorType(dataType, dims.map(Number)) })
