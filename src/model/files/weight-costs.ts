import { compareOutputs } from '../../core/compare-outputs.ts'
import type { Tensor } from '../../core/tensor.ts'
import { activationsAt, type StudiedModel } from '../cut-model.ts'
import type { OpenedModel, OpenModel } from '../open-model.ts'
import { runChain } from '../run-chain.ts'

/** Files of the same blocks. */
export interface StoredBlocks {
  /** As the model has its weights. */
  readonly plain: readonly string[]
  readonly small: readonly string[]
}

/**
 * What it costs to store weights in fewer bits: for each block how far its outputs are from those of the block as the model has it, on
 * the same activation, which blocks as the model has them made.
 * @param inputs each a tensor for every input of the model
 * @returns of each block the largest difference, of the largest output
 * @throws Error when a block does not run on these
 */
export const weightCosts = async (
  model: StudiedModel,
  cuts: readonly number[],
  { plain, small }: StoredBlocks,
  openModel: OpenModel,
  inputs: readonly (readonly Tensor[])[]
): Promise<readonly number[]> => {
  const costs = plain.map(() => 0)
  const opened: OpenedModel[] = []
  const open = async (file: string): Promise<OpenedModel> => {
    const one = await openModel(file)
    opened.push(one)
    return one
  }
  try {
    const compared = await Promise.all(
      plain.map(async (file, k): Promise<OpenedModel> => {
        const [exact, coarse] = [await open(file), await open(small[k]!)]
        const run: OpenedModel['run'] = async feeds => {
          const outputs = await exact.run(feeds)
          costs[k] = Math.max(costs[k]!, compareOutputs(outputs, await coarse.run(feeds)).maxRelDiff)
          return outputs
        }
        return { ...exact, run }
      })
    )
    const keep = activationsAt(model, cuts)
      .slice(1)
      .map(({ tensors }) => tensors.map(({ name }) => name))
    for (const feeds of inputs) await runChain(compared, keep, feeds)
  } finally {
    await Promise.all(opened.map(one => one.close()))
  }
  return costs
}
