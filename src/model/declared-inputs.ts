import type { TensorProto_DataType as T } from 'onnx-buf'
import { ELEMENT_TYPES, type ElementType, type TensorSpec } from '../core/tensor.ts'
import { DATA_TYPE } from './element-bits.ts'
import type { OnnxFile } from './onnx-file.ts'

/** The inputs that a model asks for, as it declares them; those that an initializer fills are left out. */
export const declaredInputs = ({ graph }: OnnxFile): TensorSpec[] => {
  const filled = new Set(graph.initializer.map(tensor => tensor.name))
  return graph.input.flatMap(({ name, type }) => {
    if (filled.has(name) || type?.value.case !== 'tensorType') return []
    const { elemType, shape } = type.value.value
    const dims = (shape?.dim ?? []).map(({ value }) =>
      value.case === 'dimValue' ? Number(value.value) : (value.value ?? null)
    )
    return [{ name, type: elementType(elemType), shape: dims }]
  })
}

const elementType = (dataType: number): ElementType =>
  (Object.keys(ELEMENT_TYPES) as ElementType[]).find(type => DATA_TYPE[type] === (dataType as T)) ?? 'float32'
