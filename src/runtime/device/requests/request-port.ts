import type { ModelManifest } from '../../../core/manifest.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { seconds } from '../../../core/units.ts'
import type { DataPort, Item } from '../../ports/data-port.ts'
import { fitRequest } from './fit-request.ts'

/** One datum of a request. Its tensors are kept until it has its outcome, since it may have to be sent out again. */
export interface RequestItem extends Item {
  readonly tensors: readonly Tensor[]
}

/** Tensors as they were asked with, and as they are answered with. */
export const createRequestPort = (manifest: ModelManifest): DataPort => {
  const isOutput = new Set(manifest.outputs)
  return {
    read: async item => {
      // The model may be another than the one that the request was checked against.
      fitRequest(manifest, (item as RequestItem).tensors)
      return (item as RequestItem).tensors.map(({ name, type, dims, data }) => ({
        name,
        type,
        dims,
        data,
        isLent: true
      }))
    },
    stamp: async () => ({ id: '', modified: seconds(0), isFinal: true }),
    write: async (_: Item, tensors) => tensors.filter(({ name }) => isOutput.has(name)),
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}
