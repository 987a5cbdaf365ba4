import type { Tensor } from '../../core/tensor.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DataPort } from '../ports/data-port.ts'
import type { ItemStamp } from '../ports/item-stamp.ts'
import { createDataPort, type DataPortOptions } from './create-data-port.ts'
import type { FileItem } from './file-item.ts'
import { fitTensors } from './fit-tensors.ts'
import type { FolderPort } from './folder-port.ts'
import { imageTarget } from './image-target.ts'
import {
  frameToTensor,
  type ImageTarget,
  type ImageTensor,
  imageBytesToTensor,
  imageToTensor
} from './image-to-tensor.ts'
import type { LiveItem } from './live-item.ts'

/** A port whose items came by themselves, whatever they are made of. */
export interface LivePort extends DataPort {
  /** For items that are files. */
  readonly files: FolderPort
  /** How an image must look; undefined where the spec does not speak of images. */
  readonly target: ImageTarget | undefined
  /** What size an image was matters to its result: boxes are in its pixels. */
  readonly keepsSize: boolean
}

/** It never changes: what is wrong with it stays so. */
const FINAL: ItemStamp = { id: '', modified: seconds(0), isFinal: true }

/**
 * @param needed inputs that some block reads
 * @throws UserError when the model's inputs or outputs contradict the spec
 */
export const createLivePort = (options: DataPortOptions, needed: ReadonlySet<string>): LivePort => {
  const { spec, inputs } = options
  const files = createDataPort({
    ...options,
    namesRepeat: true,
    imageOf: (item, target) => imageOf(item as Unknown, target)
  })
  const target = spec.input.kind === 'image' ? imageTarget(spec, spec.input, inputs) : undefined
  const read = async (item: LiveItem): Promise<readonly Tensor[]> => {
    const { name, content } = item
    if (content.kind === 'none') throw new UserError(content.because)
    if (content.kind === 'tensors' && spec.output.kind === 'detect')
      throw new UserError(
        `${name}: is tensors, and ${spec.origin} finds boxes in images: give it as an image, or choose output kind npy`
      )
    if (content.kind === 'tensors') return fitTensors(content.tensors, inputs, needed)
    if (content.kind !== 'file' && target === undefined)
      throw new UserError(`${name}: is an image, and ${spec.origin} takes tensors; choose a preset for images`)
    return files.read(fileOf(item))
  }
  return {
    ...{ files, target, exampleInputs: files.exampleInputs },
    keepsSize: spec.output.kind === 'detect' || Object.keys(spec.inputs).length > 0,
    read: item => read(item as LiveItem),
    stamp: async item => ((item as LiveItem).content.kind === 'file' ? files.stamp(fileOf(item as LiveItem)) : FINAL),
    write: (item, outputs, datum) => files.write(fileOf(item as LiveItem), outputs, datum)
  }
}

type Unknown = FileItem & Partial<LiveItem>

/** The same item each time: what was seen of its image is known by it. */
const fileOf = (item: LiveItem): FileItem =>
  Object.assign(item, { path: item.content.kind === 'file' ? item.content.path : '' })

const imageOf = async ({ name, path, content }: Unknown, target: ImageTarget): Promise<ImageTensor> => {
  if (content?.kind === 'image') return imageBytesToTensor(content.bytes, name, target)
  if (content?.kind === 'frame') return frameToTensor(content.frame, name, target)
  return imageToTensor(path, target)
}
