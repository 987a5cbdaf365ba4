import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  type NodeProto,
  TensorProto_DataType as T,
  type TensorProto,
  TensorProtoSchema
} from 'onnx-buf'
import { messageWith } from './message-with.ts'
import { isDefaultDomain } from './onnx-file.ts'

/** What a Constant node makes, under its name; undefined for other nodes and for what is no dense tensor. */
export const constantTensor = (node: NodeProto): TensorProto | undefined => {
  if (!isConstantNode(node)) return undefined
  const name = node.output[0] ?? ''
  for (const attribute of node.attribute) {
    const tensor = tensorOf(attribute)
    if (tensor !== undefined) return messageWith(TensorProtoSchema, tensor, { name })
  }
  return undefined
}

export const isConstantNode = ({ opType, domain }: NodeProto): boolean =>
  opType === 'Constant' && isDefaultDomain(domain)

const tensorOf = (a: AttributeProto): TensorProto | undefined => {
  switch (a.name) {
    case 'value':
      return a.t
    case 'value_float':
      return create(TensorProtoSchema, { dataType: T.FLOAT, floatData: [a.f] })
    case 'value_floats':
      return create(TensorProtoSchema, { dataType: T.FLOAT, dims: [BigInt(a.floats.length)], floatData: a.floats })
    case 'value_int':
      return create(TensorProtoSchema, { dataType: T.INT64, int64Data: [a.i] })
    case 'value_ints':
      return create(TensorProtoSchema, { dataType: T.INT64, dims: [BigInt(a.ints.length)], int64Data: a.ints })
    case 'value_string':
      return create(TensorProtoSchema, { dataType: T.STRING, stringData: [a.s] })
    case 'value_strings':
      return create(TensorProtoSchema, { dataType: T.STRING, dims: [BigInt(a.strings.length)], stringData: a.strings })
    default:
      return undefined
  }
}
