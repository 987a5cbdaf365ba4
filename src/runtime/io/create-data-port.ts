import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { checkOutputs } from './check-outputs.ts'
import { ctcText } from './ctc-text.ts'
import { exampleInputs } from './example-inputs.ts'
import type { FileItem } from './file-item.ts'
import type { FolderPort } from './folder-port.ts'
import { imageTarget } from './image-target.ts'
import { imageToTensor } from './image-to-tensor.ts'
import type { IoSpec } from './io-spec.ts'
import { itemStamp } from './item-stamp.ts'
import { listItems } from './list-items.ts'
import { npyPaths, npySuffixes, readNpyInputs } from './npy-inputs.ts'
import { writeNpyResults } from './npy-results.ts'
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
}

/** @throws UserError when the model's inputs or outputs contradict the spec */
export const createDataPort = ({ spec, inputs, outputs: known, resultsFolder }: DataPortOptions): FolderPort => {
  const { input } = spec
  const target = input.kind === 'image' ? imageTarget(spec, input, inputs) : undefined
  if (known !== undefined) checkOutputs(spec, known)
  return {
    list: (folder, say) => listItems(folder, target === undefined ? npySuffixes(inputs) : [], say),
    read: async item => (target === undefined ? readNpyInputs(item, inputs) : [await imageToTensor(item.path, target)]),
    stamp: item => itemStamp(target === undefined ? npyPaths(item, inputs) : [item.path]),
    write: (item, outputs) => result(spec, resultsFolder, item, outputs),
    exampleInputs: specs => exampleInputs(spec, specs)
  }
}

const result = async (spec: IoSpec, folder: string, item: FileItem, outputs: readonly Tensor[]): Promise<unknown> => {
  const { output, characters, labels } = spec
  switch (output.kind) {
    case 'ctc':
      return ctcText(outputs, { characters, blank: output.blank === 'first' ? 0 : characters.length - 1 })
    case 'topk':
      return topK(outputs, { k: output.k ?? 5, labels, name: output.name })
    case 'npy':
      return writeNpyResults(item, outputs, { inline: output.inline, folder })
    default:
      return output satisfies never
  }
}
