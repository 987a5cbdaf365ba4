import type { ModelManifest } from '../core/manifest.ts'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { fitTensors } from '../runtime/io/fit-tensors.ts'
import { fromTensor } from '../runtime/io/tensor-like.ts'
import type { DataPort, Item } from '../runtime/ports/data-port.ts'
import type { MemoryItem } from './memory-item.ts'

/** Data that a program hands over, and results as it wants them. */
export const createMemoryPort = ({ inputs, activations, outputs }: ModelManifest): DataPort => {
  const needed = new Set(activations[0]!.tensors.map(({ name }) => name))
  const isOutput = new Set(outputs)
  return {
    read: async item => {
      const { tensors, because } = item as MemoryItem
      if (tensors === undefined) throw new UserError(because)
      return fitTensors(tensors, inputs, needed)
    },
    stamp: async () => ({ id: '', modified: seconds(0), isFinal: true }),
    write: async (_: Item, tensors) =>
      Object.fromEntries(
        tensors.filter(({ name }) => isOutput.has(name)).map(tensor => [tensor.name, fromTensor(tensor)])
      ),
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}
