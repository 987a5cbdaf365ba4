import type { ScenarioModel, SourceFiles } from '../../core/scenario.ts'
import { declaredInputs } from '../../model/declared-inputs.ts'
import { readOnnxFile } from '../../model/files/read-onnx-file.ts'
import { listItems } from '../../runtime/io/list-items.ts'
import { npySuffixes } from '../../runtime/io/npy-inputs.ts'
import { readIoSpec } from '../../runtime/io/read-io-spec.ts'

/**
 * How many data a source of files has: its files, or, where a model takes several arrays, its groups of files.
 * @throws UserError where the folder cannot be read or is empty, or where the preset or the file that says how to read is wrong
 */
export const countFiles = async ({ dir, reading }: SourceFiles, model: ScenarioModel): Promise<number> => {
  const { input } = await readIoSpec(reading)
  const suffixes = input.kind === 'npy' ? npySuffixes(await inputsOf(model)) : []
  return (await listItems(dir, suffixes)).length
}

const inputsOf = async (model: ScenarioModel) =>
  model.kind === 'file' ? declaredInputs(await readOnnxFile(model.file)) : []
