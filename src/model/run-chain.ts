import type { Tensor } from '../core/tensor.ts'
import type { OpenedModel } from './open-model.ts'

/**
 * Run blocks one after another, as devices would: each takes the tensors it names, and what lives on beside it is kept.
 * @param keep names of activation k + 1, for each block k
 */
export const runChain = async (
  blocks: readonly OpenedModel[],
  keep: readonly (readonly string[])[],
  feeds: readonly Tensor[]
): Promise<readonly Tensor[]> => {
  let alive = new Map(feeds.map(tensor => [tensor.name, tensor]))
  for (const [k, block] of blocks.entries()) {
    const inputs = block.inputs.map(({ name }) => {
      const tensor = alive.get(name)
      if (tensor === undefined) throw new Error(`block ${k} needs "${name}", which is not there`)
      return tensor
    })
    const made = new Map((await block.run(inputs)).map(tensor => [tensor.name, tensor]))
    alive = new Map(
      keep[k]!.map(name => {
        const tensor = made.get(name) ?? alive.get(name)
        if (tensor === undefined) throw new Error(`block ${k} did not make "${name}"`)
        return [name, tensor] as const
      })
    )
  }
  return [...alive.values()]
}
