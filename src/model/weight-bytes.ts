import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { bodiesOf } from './bodies-of.ts'
import { byteLength, heldTensors, isExternal, neededBytes } from './onnx-file.ts'

/**
 * Bytes of all weights that a model holds, as elements in memory: initializers, tensors in attributes, bodies and
 * functions, and what operators keep in lists, such as the nodes of a tree ensemble. The one place that counts them.
 */
export const weightBytes = ({ graph, functions }: ModelProto, origin: string): number => {
  const inFunctions = functions.flatMap(f => f.node)
  const tensors = [
    ...heldTensors(graph!),
    ...heldTensors({ ...graph!, initializer: [], sparseInitializer: [], node: inFunctions })
  ]
  const inTensors = tensors.reduce((sum, tensor) => sum + elementBytes(tensor, origin), 0)
  return inTensors + listBytes(graph!) + inFunctions.reduce((sum, node) => sum + listBytesOf(node), 0)
}

/** Typed fields count as their elements would in raw data. */
export const elementBytes = (tensor: TensorProto, origin: string): number => {
  if (isExternal(tensor) || tensor.rawData.length > 0) return byteLength(tensor, origin)
  if (tensor.stringData.length > 0) return tensor.stringData.reduce((sum, text) => sum + text.length, 0)
  return neededBytes(tensor) ?? 0
}

const listBytes = ({ node }: GraphProto): number => node.reduce((sum, inner) => sum + listBytesOf(inner), 0)

const listBytesOf = (node: NodeProto): number => {
  const own = node.attribute.reduce((sum, a) => sum + (isWeight(node, a) ? attributeBytes(a) : 0), 0)
  return own + bodiesOf(node).reduce((sum, body) => sum + listBytes(body), 0)
}

/** No kernel, stride, axis or permutation has so many numbers. */
const LONG = 16

/** Settings are no weights; of operators that learn by lists, and of constants, every list is one. */
const isWeight = ({ opType, domain }: NodeProto, { floats, ints, strings }: AttributeProto): boolean =>
  domain === 'ai.onnx.ml' ||
  opType === 'TfIdfVectorizer' ||
  opType === 'Constant' ||
  floats.length + ints.length + strings.length > LONG

const attributeBytes = ({ floats, ints, strings }: AttributeProto): number =>
  4 * floats.length + 8 * ints.length + strings.reduce((sum, text) => sum + text.length, 0)
