import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Tensor } from '../../core/tensor.ts'
import { computesTogether, type RunAlone } from '../../model/computes-together.ts'
import { activationsAt, type StudiedModel } from '../../model/cut-model.ts'
import type { BlockTrial, OtherForm } from '../../model/files/write-blocks.ts'
import type { OpenedModel } from '../../model/open-model.ts'
import { feedsFor } from '../../model/tensor-facts.ts'
import { PRIVATE_FILE } from '../state/privacy.ts'
import { openModel } from './open-model.ts'

/** One and three: a block that mixes two of them, or the first with all others, shows it. */
const DATA = 3

/**
 * Tries block after block whether it may be fed several data at once. The data are made up, but for the first block they are what the
 * blocks before make of them. One form of one block is open at a time.
 * @param fileOf where block `index` has been written; another form is written beside it, and takes its place where it holds
 * @throws Error where a block cannot be opened: that says nothing of whether it may be fed several data
 */
export const batchTrial = (
  model: StudiedModel,
  cuts: readonly number[],
  fileOf: (index: number) => string
): BlockTrial => {
  const { analysis, facts } = model
  const ports = analysis.inputs.map(name => ({ name, isTensor: true, type: facts.of(name).type ?? '', shape: [] }))
  const made = Array.from({ length: DATA }, (_, i) => feedsFor(ports, facts.inputShapes, `batch ${i}`))
  /** The activations so far; undefined once they could not be computed: no block behind is tried. */
  let data: Data | undefined = made.every(feeds => feeds !== undefined) ? made : undefined
  const keep = activationsAt(model, cuts).map(({ tensors }) => tensors.map(({ name }) => name))
  const otherOf = (index: number): string => `${fileOf(index)}.together`
  return {
    write: (index, chunks) =>
      pipeline(Readable.from(chunks), createWriteStream(otherOf(index), { mode: PRIVATE_FILE })),
    holds: async (index, form) => {
      const found = data === undefined ? undefined : await tryBlock(index, form, data)
      data = found?.runs.map(({ here }) => keep[index + 1]!.flatMap(name => here.get(name) ?? []))
      const holds = found?.holds === true
      if (form === 'other') await (holds ? rename(otherOf(index), fileOf(index)) : rm(otherOf(index), { force: true }))
      return holds
    }
  }

  /** @returns undefined where it does not run on what was made up */
  async function tryBlock(index: number, form: OtherForm | undefined, of: Data): Promise<Tried | undefined> {
    const tried = await withOpened(fileOf(index), async block => {
      const runs = await runAlone(block, of)
      return runs && { runs, holds: form === 'same' && (await computesTogether(block, runs)) }
    })
    if (tried === undefined || form !== 'other') return tried
    const { runs } = tried
    const holds = await withOpened(otherOf(index), other => computesTogether(other, runs)).catch(unlessShapes)
    return { runs, holds }
  }
}

type Data = readonly (readonly Tensor[])[]

interface Tried {
  readonly runs: readonly AloneRun[]
  readonly holds: boolean
}

/** @throws Error with the runtime's words where it does not open it: for want of memory, say */
const withOpened = async <T>(file: string, work: (block: OpenedModel) => Promise<T>): Promise<T> => {
  const block = await openModel(file)
  try {
    return await work(block)
  } finally {
    await block.close()
  }
}

/** What the runtime says of shapes that do not go together is said of the form; anything else, of this machine. */
const unlessShapes = (error: Error): false => {
  if (error.message.includes('InferenceError]')) return false
  throw error
}

interface AloneRun extends RunAlone {
  /** All that was there, and what was made. */
  readonly here: ReadonlyMap<string, Tensor>
}

/** @returns undefined where it does not run on what was made up */
const runAlone = async (block: OpenedModel, data: Data): Promise<AloneRun[] | undefined> => {
  const runs: AloneRun[] = []
  try {
    for (const tensors of data) {
      const here = new Map(tensors.map(tensor => [tensor.name, tensor]))
      const inputs = block.inputs.map(({ name }) => here.get(name)!)
      const outputs = await block.run(inputs)
      for (const tensor of outputs) here.set(tensor.name, tensor)
      runs.push({ inputs, outputs, here })
    }
    return runs
  } catch {
    return undefined
  }
}
