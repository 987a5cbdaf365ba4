import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { OnnxModel } from '../../runtime/onnx/onnx-model.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import type { NodeOptions } from './node-options.ts'
import { shapesFor } from './shapes-for.ts'

/** The models that flags name, as their owner cuts them. */
export const ownedModels = async (
  options: NodeOptions,
  folder: StateFolder,
  spec: IoSpec | undefined
): Promise<readonly OnnxModel[]> => {
  const exampleInputs =
    spec === undefined ? undefined : (await import('../../runtime/io/example-inputs.ts')).exampleInputs
  return options.models.map(model => ownedModel(model, options, folder, spec, exampleInputs))
}

type ExampleInputs = typeof import('../../runtime/io/example-inputs.ts').exampleInputs

/**
 * What makes images says what shapes the inputs that they fill have, where --shape does not; what is left open of other
 * data, which run in their own shapes, is 1 for cutting.
 */
const ownedModel = (
  model: NodeOptions['models'][number],
  options: NodeOptions,
  folder: StateFolder,
  spec: IoSpec | undefined,
  exampleInputs: ExampleInputs | undefined
): OnnxModel => ({
  ...model,
  shapes: shapesFor(model.name, options),
  maxBlocks: options.maxBlocks.get(model.name) ?? options.maxBlocks.get('')!,
  cutAt: options.cutAt.get(model.name) ?? [],
  ...weightsFor(model.name, options),
  ...(options.pinned.includes(model.name) ? { pinned: true } : {}),
  ...(options.work.has(model.name) ? { work: options.work.get(model.name)! } : {}),
  folder: folder.models,
  ...(spec === undefined || exampleInputs === undefined
    ? {}
    : { exampleShapes: inputs => new Map(exampleInputs(spec, inputs).map(({ spec: { name }, dims }) => [name, dims])) })
})

const weightsFor = (name: string, { weights }: NodeOptions): Pick<OnnxModel, 'weights'> => {
  const choice = weights.get(name) ?? weights.get('')
  return choice === undefined ? {} : { weights: choice }
}
