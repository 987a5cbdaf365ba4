import type { ModelManifest } from '../../core/manifest.ts'
import { ELEMENT_TYPES, elementCount } from '../../core/tensor.ts'
import { neededInputs } from '../../runtime/device/requests/fit-request.ts'
import { datatypeOf } from '../datatypes.ts'
import { ServingError } from '../serving-error.ts'
import type { InferRequest } from './read-infer-request.ts'

/**
 * The whole body is the one input's tensor. One dimension that is dynamic is as long as the bytes last; where there are more, those
 * behind the first are as the model was cut for. @throws ServingError
 */
export const rawRequest = (manifest: ModelManifest, body: Uint8Array<ArrayBuffer>): InferRequest => {
  const inputs = neededInputs(manifest)
  const [input] = inputs
  if (input === undefined || inputs.length > 1)
    throw new ServingError(
      'badRequest',
      `a body that is one tensor alone needs a model with one input; '${manifest.name}' has ${inputs.length}`
    )
  const { name, type, shape } = input
  return {
    id: '',
    parameters: new Map(),
    outputs: undefined,
    isBinary: () => true,
    inputs: [
      {
        name,
        datatype: datatypeOf(type),
        shape:
          type === 'string'
            ? shape.map(dim => (typeof dim === 'number' ? dim : 1))
            : shapeOf(settled(manifest, input), ELEMENT_TYPES[type], body.byteLength),
        data: body
      }
    ]
  }
}

type Shape = ModelManifest['inputs'][number]['shape']

const settled = ({ activations }: ModelManifest, { name, shape }: ModelManifest['inputs'][number]): Shape => {
  if (shape.filter(dim => typeof dim !== 'number').length < 2) return shape
  const cut = activations[0]!.tensors.find(tensor => tensor.name === name)?.shape
  return shape.map((dim, i) => (typeof dim === 'number' || i === 0 ? dim : (cut?.[i] ?? dim)))
}

const shapeOf = (shape: Shape, each: number, size: number): readonly number[] => {
  const known = each * elementCount(shape.filter(dim => typeof dim === 'number'))
  const open = shape.filter(dim => typeof dim !== 'number').length
  if (open > 1 || (open === 1 && (known === 0 || size % known !== 0)))
    throw new ServingError(
      'badRequest',
      `a body of ${size} bytes is no tensor of shape [${shape.map(dim => (typeof dim === 'number' ? dim : -1)).join(',')}]`
    )
  return shape.map(dim => (typeof dim === 'number' ? dim : size / known))
}
