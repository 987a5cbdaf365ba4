import type { SharpOptions } from 'sharp'
import { elementCount, type Tensor } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { type FilePath, shownPath } from './file-path.ts'
import { type Fitting, half, type ImagePlace, type Size } from './image-place.ts'
import type { ImageInput } from './io-spec.ts'
import { loadSharp } from './load-sharp.ts'
import { readRegularFile } from './read-regular-file.ts'
import { bytesOf } from './tensor-numbers.ts'

/** A file that is larger than this is a mistake. */
const MAX_BYTES = 2 ** 28
/** Of an image that came over a network: few bytes may say that they are very many. */
const MOST_PIXELS = 1e8

export interface ImageTarget {
  readonly input: ImageInput
  /** Of the model's input: its name, its type, its rank (3 without a batch dimension), and a size it insists on. */
  readonly name: string
  readonly type: Exclude<Tensor['type'], 'string' | 'bool'>
  readonly rank: 3 | 4
  readonly size: Size | undefined
}

export interface ImageTensor {
  readonly tensor: Tensor
  readonly place: ImagePlace
}

/** @throws ItemUnavailable when the file cannot be read, UserError when it is not a readable image */
export const imageToTensor = async (path: FilePath, target: ImageTarget): Promise<ImageTensor> => {
  const file = await readRegularFile(path, MAX_BYTES, '256 MiB, the limit of one image')
  return picture(await decode(file, {}, shownPath(path), target), target)
}

/** Of an image that came in a message. @param name of its item, for messages @throws UserError when it is not a readable image */
export const imageBytesToTensor = async (file: Uint8Array, name: string, target: ImageTarget): Promise<ImageTensor> =>
  picture(await decode(file, { limitInputPixels: MOST_PIXELS }, name, target), target)

/** Pixels as they are: row by row, three bytes (red, green, blue) or one of gray each. */
export interface Frame extends Size {
  readonly pixels: Uint8Array
  readonly channels: 1 | 3
}

/** @param name of its item, for messages @throws UserError when it does not fit the target */
export const frameToTensor = async (frame: Frame, name: string, target: ImageTarget): Promise<ImageTensor> => {
  const { pixels, width, height, channels } = frame
  const fitted = fitting(frame, target)
  const { scaled, cut } = fitted
  const isFitting = [scaled, cut].every(size => size.width === width && size.height === height)
  if (isFitting && channels === channelsOf(target.input))
    return picture({ image: frame, pixels, fitting: fitted }, target)
  return picture(await decode(pixels, { raw: { width, height, channels } }, name, target), target)
}

const picture = (decoded: Decoded, target: ImageTarget): ImageTensor => {
  const { input } = target
  const elements = toElements(decoded, target)
  const { canvas } = decoded.fitting
  const channels = channelsOf(input)
  const shape =
    input.layout === 'nchw' ? [channels, canvas.height, canvas.width] : [canvas.height, canvas.width, channels]
  const dims = target.rank === 4 ? [1, ...shape] : shape
  const tensor = { name: target.name, type: target.type, dims, data: bytesOf(target.type, elements) }
  return { tensor, place: { image: decoded.image, fitting: decoded.fitting } }
}

export const channelsOf = ({ channels }: ImageInput): number => (channels === 'gray' ? 1 : 3)

/** Sizes for an image: pure. */
export const fitting = (image: Size, { input, size }: Pick<ImageTarget, 'input' | 'size'>): Fitting => {
  const { resize, crop } = input
  const whole = (scaled: Size): Fitting => ({ scaled, cut: scaled, canvas: scaled, left: 0, top: 0 })
  const at = (factor: number): Size => ({
    width: Math.max(1, Math.round(image.width * factor)),
    height: Math.max(1, Math.round(image.height * factor))
  })
  const cutTo = (scaled: Size, wanted: Size): Fitting => {
    const cut = { width: Math.min(scaled.width, wanted.width), height: Math.min(scaled.height, wanted.height) }
    return { scaled, cut, canvas: wanted, left: half(wanted.width - cut.width), top: half(wanted.height - cut.height) }
  }
  if (resize === undefined) {
    if (crop !== undefined) return cutTo(image, crop)
    return whole(size ?? image)
  }
  if (resize.shorter !== undefined) {
    const scaled = at(resize.shorter / Math.min(image.width, image.height))
    return crop === undefined ? whole(scaled) : cutTo(scaled, crop)
  }
  const height = resize.height ?? (size ?? image).height
  if (resize.fit === 'height') {
    const { minWidth = 1, maxWidth = 65_536, multiple = 1 } = resize
    const wide = Math.min(maxWidth, Math.max(1, Math.ceil((image.width * height) / image.height)))
    const width = Math.max(minWidth, Math.ceil(wide / multiple) * multiple)
    const scaled = { width: wide, height }
    return { scaled, cut: scaled, canvas: { width, height }, left: 0, top: 0 }
  }
  const box = { width: resize.width ?? (size ?? image).width, height }
  const [x, y] = [box.width / image.width, box.height / image.height]
  if (resize.fit === 'cover') return cutTo(atLeast(at(Math.max(x, y)), box), box)
  if (resize.fit === 'contain') return cutTo(at(Math.min(x, y)), box)
  return crop === undefined ? whole(box) : cutTo(box, crop)
}

const atLeast = (size: Size, box: Size): Size => ({
  width: Math.max(size.width, box.width),
  height: Math.max(size.height, box.height)
})

interface Decoded {
  readonly image: Size
  readonly pixels: Uint8Array
  readonly fitting: Fitting
}

const decode = async (
  bytes: Uint8Array,
  options: SharpOptions,
  name: string,
  target: ImageTarget
): Promise<Decoded> => {
  const { input } = target
  const sharp = await loadSharp('an image')
  try {
    // As people see it: turned as its EXIF data says, transparency on white, 8 bits a channel.
    const image = sharp(bytes, options).autoOrient()
    const { autoOrient } = await image.metadata()
    const fitted = fitting(autoOrient, target)
    const { scaled, cut } = fitted
    const cropped = image
      .flatten({ background: 'white' })
      .resize({ ...scaled, fit: 'fill', kernel: 'linear' })
      .extract({ ...cut, left: half(scaled.width - cut.width), top: half(scaled.height - cut.height) })
    const coloured =
      input.channels === 'gray' ? cropped.grayscale().toColourspace('b-w') : cropped.toColourspace('srgb')
    const { data, info } = await coloured.removeAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    const channels = channelsOf(input)
    if (info.channels !== channels) throw new Error(`${info.channels} channels where ${channels} were expected`)
    return { image: { width: autoOrient.width, height: autoOrient.height }, pixels: data, fitting: fitted }
  } catch (error) {
    throw new UserError(`${name}: is not an image that can be read: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** Element = (pixel * scale - mean) / std, on a canvas of padding, in the model's layout and channel order. */
const toElements = ({ pixels, fitting: { cut, canvas, left, top } }: Decoded, { input, type }: ImageTarget) => {
  const channels = channelsOf(input)
  const { mean, std, pad, layout } = input
  const scale = input.scale ?? (type.startsWith('float') ? 1 / 255 : 1)
  const elements = new Float32Array(elementCount([channels, canvas.height, canvas.width]))
  if (pad !== 0) elements.fill(pad)
  const [pixelStep, channelStep] = layout === 'nchw' ? [1, canvas.height * canvas.width] : [channels, 1]
  for (let c = 0; c < channels; c++) {
    const from = input.channels === 'bgr' ? channels - 1 - c : c
    const factor = scale / std[c % std.length]!
    const offset = mean[c % mean.length]! / std[c % std.length]!
    for (let y = 0; y < cut.height; y++) {
      let to = ((y + top) * canvas.width + left) * pixelStep + c * channelStep
      let at = y * cut.width * channels + from
      for (let x = 0; x < cut.width; x++, at += channels, to += pixelStep) elements[to] = pixels[at]! * factor - offset
    }
  }
  return elements
}
