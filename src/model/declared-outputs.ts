import type { GraphProto } from 'onnx-buf'
import type { TensorSpec } from '../core/tensor.ts'
import { ELEMENT_TYPE_OF } from './element-bits.ts'
import { declaredDims } from './tensor-type.ts'

/** The outputs of which a model declares type and rank. */
export const declaredOutputs = ({ output }: Pick<GraphProto, 'output'>): TensorSpec[] =>
  output.flatMap(({ name, type: declared }) => {
    if (declared?.value.case !== 'tensorType') return []
    const type = ELEMENT_TYPE_OF.get(declared.value.value.elemType)
    const shape = declaredDims(declared)
    return type === undefined || shape === undefined ? [] : [{ name, type, shape }]
  })
