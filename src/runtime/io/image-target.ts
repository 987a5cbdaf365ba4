import type { TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { exampleInputs } from './example-inputs.ts'
import { imageInput } from './image-input.ts'
import { channelsOf, type ImageTarget } from './image-to-tensor.ts'
import type { ImageInput, IoSpec } from './io-spec.ts'

/** Where the model declares no rank: a batch of images. */
const ANY: TensorSpec['shape'] = [null, null, null, null]

/**
 * Which input of the model takes the image, and how it must look.
 * @throws UserError when the model has no such input, or one that no such image fits
 */
export const imageTarget = (spec: IoSpec, input: ImageInput, inputs: readonly TensorSpec[]): ImageTarget => {
  const chosen = imageInput(spec, input, inputs)
  if (chosen === undefined) {
    const known = inputs.map(({ name }) => name).join(', ')
    throw new UserError(`${spec.origin}: input.name "${input.name}" is not an input of the model (known: ${known})`)
  }
  const { name, shape } = chosen.shape.length === 0 ? { ...chosen, shape: ANY } : chosen
  const type = input.type ?? chosen.type
  const rank = shape.length
  if (type !== chosen.type || type === 'string' || type === 'bool' || (rank !== 3 && rank !== 4)) {
    throw new UserError(`${spec.origin}: an image of ${type} elements does not fit the model's ${describe(chosen)}`)
  }
  const [h, w] = input.layout === 'nchw' ? [shape[rank - 2], shape[rank - 1]] : [shape[rank - 3], shape[rank - 2]]
  const size = typeof h === 'number' && typeof w === 'number' ? { width: w, height: h } : undefined
  if (isOfModelsSize(input) && size === undefined)
    throw new UserError(
      `${spec.origin}: the model's ${describe(chosen)} takes images of any size; say which with input.resize.width and height`
    )
  const target: ImageTarget = { input, name, type, rank, size }
  checkFit(spec, input, chosen)
  return target
}

/** Resized to whatever the model wants. */
const isOfModelsSize = ({ resize }: ImageInput): boolean =>
  resize !== undefined && resize.shorter === undefined && resize.height === undefined

/** Whether what the spec fixes (channels, and where it is given the size) is what the model wants. */
const checkFit = (spec: IoSpec, input: ImageInput, chosen: TensorSpec): void => {
  const rank = chosen.shape.length
  const unsized = { ...chosen, shape: chosen.shape.map(() => null) }
  const given = exampleInputs(spec, [unsized])[0]!.dims
  const [, , , c] = rank === 4 ? chosen.shape : [1, ...chosen.shape]
  const channels = input.layout === 'nchw' ? chosen.shape[rank - 3] : c
  const batch = rank === 4 ? chosen.shape[0] : 1
  if (typeof batch === 'number' && batch !== 1)
    throw new UserError(
      `${spec.origin}: an image is a batch of 1 and the model's ${describe(chosen)} wants ${batch}; export it with a free batch dimension, or give batches with preset raw`
    )
  if (typeof channels === 'number' && channels !== channelsOf(input)) {
    const hint = input.layout === 'nchw' ? 'nhwc' : 'nchw'
    throw new UserError(
      `${spec.origin}: the model's ${describe(chosen)} wants ${channels} channels and the image gives ${channelsOf(input)}; check channels, or set layout: ${hint}`
    )
  }
  checkVaryingSize(spec, input, chosen)
  if (isOfModelsSize(input) || (input.resize === undefined && input.crop === undefined)) return
  const fixed = input.resize?.shorter === undefined || input.crop !== undefined
  const free = input.resize?.fit === 'height' ? rank - (input.layout === 'nchw' ? 1 : 2) : -1
  const wrong = chosen.shape.some((dim, i) => typeof dim === 'number' && i !== free && dim !== given[i])
  if (fixed && wrong) {
    throw new UserError(
      `${spec.origin}: the image becomes [${given.map((dim, i) => (i === free ? 'width' : dim)).join(', ')}] and does not fit the model's ${describe(chosen)}; change resize or crop`
    )
  }
}

/** Where the size follows from the image: whether it can ever be the one that the model is fixed to. */
const checkVaryingSize = ({ origin }: IoSpec, { layout, resize, crop }: ImageInput, chosen: TensorSpec): void => {
  const { shape } = chosen
  const last = shape.length - (layout === 'nchw' ? 1 : 2)
  const [h, w] = [shape[last - 1], shape[last]]
  const shorter = crop === undefined ? resize?.shorter : undefined
  if (shorter !== undefined && typeof h === 'number' && typeof w === 'number' && Math.min(h, w) !== shorter)
    throw new UserError(
      `${origin}: input.resize.shorter ${shorter} never fits the model's ${describe(chosen)}, whose shorter side is ${Math.min(h, w)}; set it, or add crop`
    )
  if (resize?.fit !== 'height' || typeof w !== 'number') return
  const { minWidth = 1, maxWidth = 65_536, multiple = 1 } = resize
  const least = Math.max(minWidth, multiple)
  const widest = Math.max(minWidth, Math.ceil(maxWidth / multiple) * multiple)
  if (w < least || w > widest || (w !== minWidth && w % multiple !== 0))
    throw new UserError(
      `${origin}: input.resize makes widths of ${least} to ${widest} in steps of ${multiple}, never the ${w} of the model's ${describe(chosen)}; change minWidth, maxWidth or multiple`
    )
}

const describe = ({ name, type, shape }: TensorSpec): string =>
  `input "${name}" ${type}[${shape.map(dim => dim ?? '?').join(', ')}]`
