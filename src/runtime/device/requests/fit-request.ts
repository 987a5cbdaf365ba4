import type { ModelManifest } from '../../../core/manifest.ts'
import { ELEMENT_TYPES, elementCount, type Tensor, type TensorSpec } from '../../../core/tensor.ts'
import { UserError } from '../../../core/user-error.ts'

const refuse = (input: string, words: string): never => {
  throw new UserError(words, { code: 'badTensor', facts: { input } })
}

const shown = (dims: TensorSpec['shape']): string => `[${dims.map(dim => dim ?? -1).join(',')}]`

/** The inputs that a datum needs: others of the file no block reads. */
export const neededInputs = ({ inputs, activations }: ModelManifest): readonly TensorSpec[] => {
  const needed = new Set(activations[0]!.tensors.map(({ name }) => name))
  return inputs.filter(({ name }) => needed.has(name))
}

/**
 * Exactly the inputs that the model takes, of their types and shapes, with as many bytes as these say.
 * @throws UserError `badTensor` that names the input, what it is and what it should be
 */
export const fitRequest = (manifest: ModelManifest, tensors: readonly Tensor[]): void => {
  const { name: model, inputs } = manifest
  for (const { name } of neededInputs(manifest)) {
    if (!tensors.some(tensor => tensor.name === name))
      refuse(
        name,
        `input "${name}" of model "${model}" is missing; it takes ${inputs.map(input => `"${input.name}"`).join(', ')}`
      )
  }
  const seen = new Set<string>()
  for (const tensor of tensors) {
    if (seen.has(tensor.name)) refuse(tensor.name, `input "${tensor.name}" of model "${model}" stands there twice`)
    seen.add(tensor.name)
    const spec = inputs.find(({ name }) => name === tensor.name)
    if (spec === undefined)
      refuse(
        tensor.name,
        `unexpected inference input "${tensor.name}" for model "${model}"; it takes ${inputs.map(input => `"${input.name}"`).join(', ')}`
      )
    else fitOne(model, spec, tensor)
  }
}

const fitOne = (model: string, { name, type, shape }: TensorSpec, tensor: Tensor): void => {
  const { dims, data } = tensor
  if (tensor.type !== type)
    refuse(name, `input "${name}" of model "${model}" has elements of type ${tensor.type}; the model takes ${type}`)
  if (!dims.every(dim => Number.isSafeInteger(dim) && dim >= 0))
    refuse(name, `input "${name}" has the shape ${shown(dims)}; its dimensions are whole numbers from 0`)
  // As ONNX Runtime: any shape where no rank is declared, or a scalar.
  const fits =
    shape.length === 0 ||
    (dims.length === shape.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i]))
  if (!fits)
    refuse(
      name,
      `unexpected shape for input "${name}" of model "${model}": expected ${declared(shape)}, got ${shown(dims)}`
    )
  const bytes = elementCount(dims) * ELEMENT_TYPES[type]
  if (type !== 'string' && data.byteLength !== bytes)
    refuse(
      name,
      `input "${name}" of shape ${shown(dims)} has ${data.byteLength} bytes; ${elementCount(dims)} elements of ${type} are ${bytes}`
    )
}

const declared = (shape: TensorSpec['shape']): string =>
  `[${shape.map(dim => (typeof dim === 'number' ? dim : -1)).join(',')}]`
