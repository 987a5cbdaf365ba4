import type { Dimension, TensorSpec } from '../core/tensor.ts'
import { constantTensor } from './constant-tensor.ts'
import { ELEMENT_TYPE_OF } from './element-bits.ts'
import type { OnnxFile } from './onnx-file.ts'
import { declaredDims } from './tensor-type.ts'

export interface DeclaredTensor extends Omit<TensorSpec, 'shape'> {
  /** Undefined where not even the rank is declared. */
  readonly shape: readonly Dimension[] | undefined
}

/** The tensors that a model asks for, as it declares them; inputs that a constant fills are left out. */
export const declaredInputs = ({ graph }: OnnxFile): DeclaredTensor[] => {
  const sparse = graph.sparseInitializer.flatMap(({ values }) => values ?? [])
  const held = graph.node.flatMap(node => constantTensor(node) ?? [])
  const filled = new Set([...graph.initializer, ...sparse, ...held].map(tensor => tensor.name))
  return graph.input.flatMap(({ name, type: declared }) => {
    if (filled.has(name) || declared?.value.case !== 'tensorType') return []
    const type = ELEMENT_TYPE_OF.get(declared.value.value.elemType)
    return type === undefined ? [] : [{ name, type, shape: declaredDims(declared) }]
  })
}
