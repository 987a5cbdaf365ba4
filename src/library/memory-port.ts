import type { ModelManifest } from '../core/manifest.ts'
import type { Tensor, TensorSpec } from '../core/tensor.ts'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { describeInput, fitTensor } from '../runtime/io/fit-tensor.ts'
import type { DataPort, Item } from '../runtime/ports/data-port.ts'
import type { MemoryItem } from './memory-item.ts'
import { fromTensor, UNNAMED } from './tensor-like.ts'

/** Data that a program hands over, and results as it wants them. */
export const createMemoryPort = ({ inputs, activations, outputs }: ModelManifest): DataPort => {
  const needed = new Set(activations[0]!.tensors.map(({ name }) => name))
  const isOutput = new Set(outputs)
  return {
    read: async item => fitted(item as MemoryItem, inputs, needed),
    stamp: async () => ({ id: '', modified: seconds(0), isFinal: true }),
    write: async (_: Item, tensors) =>
      Object.fromEntries(
        tensors.filter(({ name }) => isOutput.has(name)).map(tensor => [tensor.name, fromTensor(tensor)])
      ),
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}

/** @returns tensors that may be given away @throws UserError where they are not what the model takes */
const fitted = (
  { tensors, because }: MemoryItem,
  inputs: readonly TensorSpec[],
  needed: ReadonlySet<string>
): readonly Tensor[] => {
  if (tensors === undefined) throw new UserError(because)
  const takes = `the model takes ${inputs.map(describeInput).join(', ')}`
  const given = new Map(tensors.map(tensor => [nameOf(tensor, inputs, takes), tensor]))
  const stranger = [...given.keys()].find(name => !inputs.some(input => input.name === name))
  if (stranger !== undefined) throw new UserError(`there is no input "${stranger}"; ${takes}`)
  return inputs.flatMap(spec => {
    const tensor = given.get(spec.name)
    if (tensor === undefined) {
      // What no block reads need not be there.
      if (!needed.has(spec.name)) return []
      throw new UserError(`input "${spec.name}" is missing; ${takes}`)
    }
    try {
      const fit = fitTensor(tensor, spec)
      return fit.data === tensor.data ? [{ ...fit, data: fit.data.slice() }] : [fit]
    } catch (error) {
      throw error instanceof RangeError ? new UserError(`tensor "${spec.name}": ${error.message}`) : error
    }
  })
}

const nameOf = ({ name }: Tensor, inputs: readonly TensorSpec[], takes: string): string => {
  if (name !== UNNAMED) return name
  if (inputs.length === 1) return inputs[0]!.name
  throw new UserError(`one tensor without a name was given; ${takes}`)
}
