import type { Rng } from '../../core/rng.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { madeUpTensor } from '../../model/made-up-tensor.ts'
import type { DataPort } from './data-port.ts'

/**
 * A source of made-up data: seeded tensors of the model's input shapes, the same values for every datum. Its results say
 * only what came back.
 * @throws UserError from `list` where the model's inputs have dynamic dimensions
 */
export const createSyntheticPort = (count: number, inputs: readonly TensorSpec[], rng: Rng): DataPort => {
  let made: readonly Tensor[] | undefined
  return {
    list: async () => {
      const open = inputs.find(({ shape }) => shape.some(dim => typeof dim !== 'number'))
      if (open !== undefined)
        throw new UserError(
          `made-up data need fixed shapes: give input "${open.name}" one with --shape where the model is owned`
        )
      const digits = String(count - 1).length
      return Array.from({ length: count }, (_, i) => ({ name: String(i).padStart(digits, '0'), path: '' }))
    },
    read: async () => {
      made ??= inputs.map(({ name, type, shape }) =>
        madeUpTensor(name, type, shape as readonly number[], rng.fork(name))
      )
      return made.map(tensor => ({ ...tensor, data: tensor.data.slice() })) // what is read is given away
    },
    write: async (_, outputs) => outputs.map(({ name, dims }) => ({ name, dims })),
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}
