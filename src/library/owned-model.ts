import type { OnnxModel } from '../runtime/onnx/onnx-model.ts'
import type { StateFolder } from '../runtime/state/state-folder.ts'
import type { CheckedModel } from './check-join-options.ts'

/** A program's model, as its owner cuts it. */
export const ownedModel = (
  { file, name, fingerprint, shapes, blocks, cutAt, pinned, weights }: CheckedModel,
  folder: StateFolder
): OnnxModel => ({
  ...{ name, file, cutAt, pinned, maxBlocks: blocks },
  shapes: new Map(Object.entries(shapes)),
  folder: folder.models,
  ...(weights === undefined ? {} : { weights }),
  ...(fingerprint === undefined ? {} : { fingerprint })
})
