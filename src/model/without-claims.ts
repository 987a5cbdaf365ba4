import type { AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto } from 'onnx-buf'
import { declaredDims, tensorType } from './tensor-type.ts'

/**
 * The graph without what it says of the shapes of tensors that it computes: exporters leave a batch of one there when
 * they make the input dynamic, and ONNX Runtime believes it when it infers but not when it runs. What is inferred from
 * the rest is true of every run. Element types stay, for operators whose types nothing else tells.
 *
 * Inputs keep what they declare: ONNX Runtime refuses everything else. Only a declared scalar is left open, because it
 * takes any shape there.
 */
export const withoutClaims = (graph: GraphProto): GraphProto => ({
  ...withoutShapes(graph),
  input: graph.input.map(info => (isScalar(info) ? shapeless(info) : info))
})

/** The same for a model's functions. */
export const functionsWithoutClaims = (model: ModelProto): ModelProto => ({
  ...model,
  functions: model.functions.map(f => ({
    ...f,
    node: f.node.map(bodiesWithout),
    valueInfo: f.valueInfo.map(shapeless)
  }))
})

/** In a body what comes in is what the node around it gives, whatever it declares. */
const bodyWithout = (body: GraphProto): GraphProto => ({
  ...withoutShapes(body),
  input: body.input.map(shapeless)
})

const withoutShapes = (graph: GraphProto): GraphProto => ({
  ...graph,
  node: graph.node.map(bodiesWithout),
  output: graph.output.map(shapeless),
  valueInfo: graph.valueInfo.map(shapeless)
})

const bodiesWithout = (node: NodeProto): NodeProto =>
  node.attribute.some(hasBody) ? { ...node, attribute: node.attribute.map(attributeWithout) } : node

const hasBody = ({ g, graphs }: AttributeProto): boolean => g !== undefined || graphs.length > 0

const attributeWithout = (attribute: AttributeProto): AttributeProto => ({
  ...attribute,
  ...(attribute.g === undefined ? {} : { g: bodyWithout(attribute.g) }),
  graphs: attribute.graphs.map(bodyWithout)
})

const isScalar = ({ type }: ValueInfoProto): boolean =>
  type?.value.case === 'tensorType' && declaredDims(type)?.length === 0

const shapeless = (info: ValueInfoProto): ValueInfoProto =>
  info.type === undefined ? info : { ...info, type: typeWithoutShape(info.type) }

const typeWithoutShape = (type: TypeProto): TypeProto => {
  const { value } = type
  switch (value.case) {
    case 'tensorType':
      return tensorType(value.value.elemType, undefined)
    case 'sequenceType':
    case 'optionalType': {
      const { elemType } = value.value
      const inner = elemType === undefined ? {} : { elemType: typeWithoutShape(elemType) }
      return { ...type, value: { ...value, value: { ...value.value, ...inner } } as TypeProto['value'] }
    }
    default:
      return type
  }
}
