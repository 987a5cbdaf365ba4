import { create } from '@bufbuild/protobuf'
import {
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_TensorSchema,
  TypeProtoSchema
} from 'onnx-buf'
import type { Dimension } from '../core/tensor.ts'

/**
 * The ONNX type of a tensor.
 * @param dims null stands for a dimension of which nothing is known; undefined where not even the rank is known
 */
export const tensorType = (elemType: number, dims: readonly Dimension[] | undefined): TypeProto => {
  const shape = dims === undefined ? {} : { shape: create(TensorShapeProtoSchema, { dim: dims.map(dimension) }) }
  return create(TypeProtoSchema, {
    value: { case: 'tensorType', value: create(TypeProto_TensorSchema, { elemType, ...shape }) }
  })
}

const dimension = (dim: Dimension) => {
  if (dim === null || dim === '' || (typeof dim === 'number' && !Number.isSafeInteger(dim)))
    return create(TensorShapeProto_DimensionSchema)
  return create(TensorShapeProto_DimensionSchema, {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim }
  })
}

/**
 * The dimensions that a type declares, as ONNX Runtime understands them: a negative number, which some exporters write
 * for "any", and an empty name say nothing.
 * @returns undefined where not even the rank is declared; none for what is no tensor
 */
export const declaredDims = ({ value: type }: TypeProto): readonly Dimension[] | undefined => {
  if (type.case !== 'tensorType') return [] // a sequence has no shape, and is never fed
  return type.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' ? (value.value < 0n ? null : Number(value.value)) : value.value || null
  )
}
