import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { ServingError } from '../serving-error.ts'
import type { Picture } from './frigate-request.ts'
import type { InputSize } from './write-detections.ts'

/** D-FINE has it beside the picture: [[height, width]], in which its boxes come. */
const TARGET = 'orig_target_sizes'

/** The inputs of a model, and how large the picture is. */
export interface FittedPicture {
  readonly tensors: readonly Tensor[]
  readonly size: InputSize
}

/** @throws ServingError where the model takes something else */
export const fitPicture = (inputs: readonly TensorSpec[], picture: Picture): FittedPicture => {
  const pictures = inputs.filter(({ name }) => name !== TARGET)
  const [input] = pictures
  if (input === undefined || pictures.length > 1)
    throw new ServingError(
      'badRequest',
      `the model takes ${inputs.map(({ name }) => name).join(', ')}; a picture alone is no answer to that`
    )
  const { type, dims } = picture
  const fits = dims.length === input.shape.length && input.shape.every((d, i) => typeof d !== 'number' || d === dims[i])
  if (type !== input.type || (!fits && input.shape.length > 0))
    throw new ServingError(
      'badRequest',
      `the model takes ${input.type}[${input.shape.map(d => d ?? '?').join(', ')}], and ${type}[${dims.join(', ')}] came; set width, height, input_tensor and input_dtype of Frigate's model`
    )
  const size = sizeOf(dims)
  // A buffer of its own: it is given to a thread, and what came lies in one with other messages.
  const tensor: Tensor = { name: input.name, type, dims, data: new Uint8Array(picture.data) }
  const target = inputs.find(({ name }) => name === TARGET)
  return { tensors: target === undefined ? [tensor] : [tensor, targetOf(target, size)], size }
}

const targetOf = ({ name, type }: TensorSpec, { width, height }: InputSize): Tensor => {
  const sides = [height, width]
  const array = type === 'int32' ? Int32Array.from(sides) : BigInt64Array.from(sides.map(BigInt))
  return { name, type: type === 'int32' ? type : 'int64', dims: [1, 2], data: new Uint8Array(array.buffer) }
}

const CHANNELS = [1, 3]

/** Of [1, channels, height, width] or [1, height, width, channels]. */
const sizeOf = (dims: readonly number[]): InputSize => {
  const [first, second, third] = dims.slice(-3)
  if (dims.length < 3)
    throw new ServingError('badRequest', `[${dims.join(', ')}] is no picture: it has no height, width and channels`)
  return CHANNELS.includes(first!) ? { height: second!, width: third! } : { height: first!, width: second! }
}
