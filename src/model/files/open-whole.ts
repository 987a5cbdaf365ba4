import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leadingTo } from '../leading-to.ts'
import type { OpenedModel, OpenModel, OpenModelOptions } from '../open-model.ts'
import { Prober } from './infer-types.ts'
import { readOnnxFile } from './read-onnx-file.ts'

/** Names of inputs and outputs, as they were read. */
export interface Ends {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * The whole model, to compare with. Where JavaScript cannot open the file as it is, for an output or an unread input of a
 * type that it lacks, or knows the ends by other names, because theirs are not UTF-8, a copy is opened that has these ends
 * and no others.
 * @throws Error with the runtime's words when it opens neither
 */
export const openWhole = async (
  path: string,
  ends: Ends,
  openModel: OpenModel,
  options: OpenModelOptions
): Promise<OpenedModel> => {
  const asItIs = await openModel(path, options).catch(() => undefined)
  if (asItIs !== undefined && hasEnds(asItIs, ends)) return asItIs
  await asItIs?.close()
  const folder = await mkdtemp(join(tmpdir(), 'tributary-whole-'))
  try {
    const file = await readOnnxFile(path)
    const wanted = new Set(ends.outputs)
    return await new Prober(file, folder, openModel).open(
      leadingTo(file.graph, ({ name }) => wanted.has(name)),
      [],
      options
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const hasEnds = (opened: OpenedModel, { inputs, outputs }: Ends): boolean => {
  const made = new Set(opened.outputs.map(({ name }) => name))
  return opened.inputs.every(({ name }) => inputs.includes(name)) && outputs.every(name => made.has(name))
}
