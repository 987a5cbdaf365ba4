import { basename } from 'node:path'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { checkOutputs } from './check-outputs.ts'
import { ctcText } from './ctc-text.ts'
import { isBuiltIn } from './detect/coco-labels.ts'
import { detect } from './detect/detect.ts'
import { DETECTION_FAMILIES } from './detect/detection-families.ts'
import { embedding } from './embedding.ts'
import { exampleInputs } from './example-inputs.ts'
import type { FileItem } from './file-item.ts'
import type { FilePath } from './file-path.ts'
import type { FolderPort } from './folder-port.ts'
import type { ImagePlace } from './image-place.ts'
import { imageTarget } from './image-target.ts'
import { type ImageTarget, type ImageTensor, imageToTensor } from './image-to-tensor.ts'
import type { IoSpec, OutputSpec } from './io-spec.ts'
import { itemStamp } from './item-stamp.ts'
import { listItems } from './list-items.ts'
import { liveFileName } from './live-file-name.ts'
import { npyPaths, npySuffixes, readNpyInputs } from './npy-inputs.ts'
import { writeNpyResults } from './npy-results.ts'
import { isNpz, readNpzInputs } from './npz-inputs.ts'
import { otherInputs } from './other-inputs.ts'
import { topK } from './top-k.ts'

export interface DataPortOptions {
  /** From `readIoSpec`. */
  readonly spec: IoSpec
  /** Of the model. */
  readonly inputs: readonly TensorSpec[]
  /** Of the model, where they are known. */
  readonly outputs?: readonly TensorSpec[] | undefined
  /** Where results that are files go; made when it is needed. Beside the sink. */
  readonly resultsFolder: string
  /** Names of items come again: the datum tells files of results apart. */
  readonly namesRepeat?: boolean
  /** Of an item that need not be a file. @default the file of its path */
  readonly imageOf?: (item: FileItem, target: ImageTarget) => Promise<ImageTensor>
}

/** @throws UserError when the model's inputs or outputs contradict the spec */
export const createDataPort = (options: DataPortOptions): FolderPort => {
  const { spec, inputs, outputs: known, resultsFolder } = options
  const fileName = options.namesRepeat === true ? liveFileName : ({ name }: FileItem): string => basename(name)
  const { imageOf = (item, to) => imageToTensor(item.path, to) } = options
  const { input } = spec
  const others = otherInputs(spec, inputs)
  const target = input.kind === 'image' ? imageTarget(spec, input, inputs) : undefined
  if (known !== undefined) checkOutputs(spec, known)
  const places = new WeakMap<FileItem, ImagePlace>()
  const inOrder = (tensors: readonly Tensor[]): readonly Tensor[] =>
    inputs.flatMap(({ name }) => tensors.find(tensor => tensor.name === name) ?? [])
  const readOwn = async (item: FileItem): Promise<readonly Tensor[]> => {
    if (target === undefined)
      return isNpz(item.path) ? readNpzInputs(item.path, others.own) : readNpyInputs(item, others.own)
    const { tensor, place } = await imageOf(item, target)
    places.set(item, place)
    return [tensor]
  }
  const ownPaths = (item: FileItem): readonly FilePath[] =>
    target === undefined && !isNpz(item.path) ? npyPaths(item, others.own) : [item.path]
  const suffixes = [...(target === undefined ? npySuffixes(others.own) : []), ...others.suffixes]
  return {
    list: (folder, say, where) => listItems(folder, suffixes, say, where),
    read: async item => {
      const own = await readOwn(item)
      return inOrder([...own, ...(await others.read(item, places.get(item)))])
    },
    stamp: item => itemStamp([...ownPaths(item), ...others.paths(item)]),
    write: (item, outputs, datum) => {
      const files = { folder: resultsFolder, name: fileName(item, datum) }
      return result({ spec, files, item, outputs, place: places.get(item) })
    },
    exampleInputs: specs => exampleInputs(spec, specs)
  }
}

interface Computed {
  readonly spec: IoSpec
  readonly files: { readonly folder: string; readonly name: string }
  readonly item: FileItem
  readonly outputs: readonly Tensor[]
  /** Of the item's image, where it is one. */
  readonly place: ImagePlace | undefined
}

const result = async ({ spec, files, item, outputs, place }: Computed): Promise<unknown> => {
  const { output, characters, labels } = spec
  switch (output.kind) {
    case 'ctc':
      return ctcText(outputs, { characters, blank: output.blank === 'first' ? 0 : characters.length - 1 })
    case 'topk':
      return topK(outputs, { k: output.k ?? 5, labels, name: output.name })
    case 'detect':
      if (place === undefined)
        throw new UserError(`${item.name}: ${spec.origin} finds boxes in images, and it is none: give it as an image`)
      return detect(outputs, { ...output, labels: fittingLabels(spec, output, outputs) }, place)
    case 'embedding':
      return embedding(outputs, output)
    case 'npy':
      return writeNpyResults(outputs, { inline: output.inline, ...files })
    default:
      return output satisfies never
  }
}

/** COCO's are none of a model that was trained on other classes. */
const fittingLabels = (
  { labels }: IoSpec,
  output: Extract<OutputSpec, { kind: 'detect' }>,
  outputs: readonly Tensor[]
): readonly string[] => {
  const count = DETECTION_FAMILIES[output.family].classes(outputs)
  return isBuiltIn(output.labels) && count !== undefined && count !== labels.length ? [] : labels
}
