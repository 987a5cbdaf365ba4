import type { TensorSpec } from '../../core/tensor.ts'
import { imageInput } from './image-input.ts'
import { channelsOf, fitting } from './image-to-tensor.ts'
import type { ImageInput, IoSpec } from './io-spec.ts'

export interface ExampleInput {
  readonly spec: TensorSpec
  readonly dims: readonly number[]
}

/** Side of an image where neither the model nor the user says a size. */
const SIDE = 224

/**
 * Shapes for profiling and for cutting: every dynamic dimension made concrete. What is made from a typical image (a
 * square; for `fit: height` one at its least width), and 1 for every other dimension that is not fixed.
 */
export const exampleInputs = (spec: IoSpec, inputs: readonly TensorSpec[]): readonly ExampleInput[] =>
  inputs.map(input => {
    const image =
      spec.input.kind === 'image' && input === imageInput(spec, spec.input, inputs) ? imageDims(spec.input, input) : []
    return { spec: input, dims: input.shape.map((dim, i) => (typeof dim === 'number' ? dim : (image[i] ?? 1))) }
  })

const imageDims = (input: ImageInput, { shape }: TensorSpec): number[] => {
  const side = { width: SIDE, height: SIDE }
  const narrow = { width: 1, height: SIDE }
  const { canvas } = fitting(input.resize?.fit === 'height' ? narrow : side, { input, size: undefined })
  const [height, width, channels] = [canvas.height, canvas.width, channelsOf(input)]
  const dims = input.layout === 'nchw' ? [channels, height, width] : [height, width, channels]
  return shape.length === 4 ? [1, ...dims] : dims
}
