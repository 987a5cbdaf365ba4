import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { describeInput, fitTensor } from './fit-tensor.ts'
import { UNNAMED } from './tensor-like.ts'

/**
 * Tensors that were handed over, as the model wants them.
 * @param needed inputs that some block reads: what no block reads need not be there
 * @returns tensors that may be given away @throws UserError where they are not what the model takes
 */
export const fitTensors = (
  tensors: readonly Tensor[],
  inputs: readonly TensorSpec[],
  needed: ReadonlySet<string>
): readonly Tensor[] => {
  const takes = `the model takes ${inputs.map(describeInput).join(', ')}`
  const given = new Map(tensors.map(tensor => [nameOf(tensor, inputs, takes), tensor]))
  const stranger = [...given.keys()].find(name => !inputs.some(input => input.name === name))
  if (stranger !== undefined) throw new UserError(`there is no input "${stranger}"; ${takes}`)
  return inputs.flatMap(spec => {
    const tensor = given.get(spec.name)
    if (tensor === undefined) {
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
