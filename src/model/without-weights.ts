import { create } from '@bufbuild/protobuf'
import { type GraphProto, type TensorProto, ValueInfoProtoSchema } from 'onnx-buf'
import { constantTensor, isConstantNode } from './constant-tensor.ts'
import { DATA_TYPE } from './element-bits.ts'
import { isExternal } from './onnx-file.ts'
import { tensorType } from './tensor-type.ts'

/** Up to here a tensor may be a shape, axes or scales, whose values decide the types of others. */
const LARGE_BYTES = 4096
const TRAVELLING = new Set<number>(Object.values(DATA_TYPE))

/**
 * The same graph with its large weights as inputs: types and shapes come out the same, and no weight is in memory. For
 * asking, not for running.
 */
export const withoutWeights = (graph: GraphProto): GraphProto => {
  const constants = graph.node.flatMap(node => constantTensor(node) ?? [])
  const named = [...graph.initializer, ...constants].map(tensor => [tensor.name, tensor] as const)
  const weights = new Map(named.filter(([, tensor]) => isWeight(tensor)))
  if (weights.size === 0) return graph
  return {
    ...graph,
    initializer: graph.initializer.filter(tensor => !weights.has(tensor.name)),
    node: graph.node.filter(node => !(isConstantNode(node) && weights.has(node.output[0] ?? ''))),
    input: [...graph.input.filter(input => !weights.has(input.name)), ...[...weights].map(asInput)]
  }
}

const isWeight = (tensor: TensorProto): boolean =>
  (isExternal(tensor) || tensor.rawData.length > LARGE_BYTES) && TRAVELLING.has(tensor.dataType)

const asInput = ([name, { dataType, dims }]: readonly [string, TensorProto]) =>
  create(ValueInfoProtoSchema, { name, type: tensorType(dataType, dims.map(Number)) })
