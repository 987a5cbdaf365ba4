import { createHash } from 'node:crypto'
import { madeUpTensor } from '../../core/made-up-tensor.ts'
import type { Rng } from '../../core/rng.ts'
import { ELEMENT_TYPES, type Tensor, type TensorSpec } from '../../core/tensor.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { FolderPort } from './folder-port.ts'
import { sampleOf } from './sample-of.ts'

/**
 * A source of made-up data: seeded tensors of the model's input shapes, each datum different from the others where its
 * elements are numbers that may be anything. Its results say what came back and a digest of it, so that runs can be
 * compared.
 * @param inputs their shapes as they are to be made
 * @param isSampled results hold some of the elements besides, to see how far they are off
 * @throws UserError from `list` where the model's inputs have dynamic dimensions
 */
export const createSyntheticPort = (
  count: number,
  inputs: readonly TensorSpec[],
  rng: Rng,
  isSampled = false
): FolderPort => {
  let made: readonly Tensor[] | undefined
  return {
    list: async () => {
      const open = inputs.find(({ shape }) => shape.some(dim => typeof dim !== 'number'))
      if (open !== undefined)
        throw new UserError(
          `made-up data need fixed shapes: give input "${open.name}" a shape where the model is owned`
        )
      const digits = String(count - 1).length
      return Array.from({ length: count }, (_, i) => ({ name: String(i).padStart(digits, '0'), path: '' }))
    },
    read: async ({ name }) => {
      made ??= inputs.map(spec =>
        madeUpTensor(spec.name, spec.type, spec.shape as readonly number[], rng.fork(spec.name))
      )
      return made.map(tensor => variant(tensor, Number(name)))
    },
    stamp: async () => ({ id: '', modified: seconds(0) }),
    write: async (_, outputs) =>
      Object.fromEntries(
        outputs.map(tensor => {
          const { name, type, dims, data } = tensor
          return [name, { type, dims, digest: digestOf(data), ...(isSampled ? { sample: sampleOf(tensor) } : {}) }]
        })
      ),
    exampleInputs: specs =>
      specs.map(spec => ({ spec, dims: spec.shape.map(dim => (typeof dim === 'number' ? dim : 1)) }))
  }
}

/** A copy, since what is read is given away; its first element tells the datum. */
const variant = (tensor: Tensor, datum: number): Tensor => {
  const data = tensor.data.slice()
  if (tensor.type === 'float32' && data.byteLength >= ELEMENT_TYPES.float32) new Float32Array(data.buffer)[0] = datum
  else if (tensor.type === 'uint8' && data.byteLength > 0) data[0] = datum % 256
  return { ...tensor, data }
}

const digestOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16)
