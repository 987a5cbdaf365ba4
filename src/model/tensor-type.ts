import { create } from '@bufbuild/protobuf'
import {
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_TensorSchema,
  TypeProtoSchema
} from 'onnx-buf'

/**
 * The ONNX type of a tensor. An empty name stands for a dimension of which nothing is known.
 * @param dims undefined where not even the rank is known
 */
export const tensorType = (elemType: number, dims: readonly (number | string)[] | undefined): TypeProto => {
  const shape = dims === undefined ? {} : { shape: create(TensorShapeProtoSchema, { dim: dims.map(dimension) }) }
  return create(TypeProtoSchema, {
    value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType, ...shape }) }
  })
}

const dimension = (dim: number | string) => {
  if (dim === '') return create(TensorShapeProto_DimensionSchema)
  return create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim }
  })
}
