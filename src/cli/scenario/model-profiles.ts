import type { ModelProfile } from '../../core/model-profile.ts'
import type { Scenario, ScenarioModel } from '../../core/scenario.ts'
import { bytes, seconds } from '../../core/units.ts'

/** Timed runs of a model that is measured. */
const RUNS = 12

/**
 * What the models of a scenario cost: as written for synthetic ones, measured here, on one thread, for files.
 * @param say told what is being measured: it takes seconds
 * @throws UserError where a file cannot be read, opened or shaped
 */
export const modelProfiles = async (scenario: Scenario, say: (text: string) => void): Promise<ModelProfile[]> => {
  const profiles: ModelProfile[] = []
  for (const model of scenario.models) profiles.push(await profileOf(model, say)) // one after another: they are timed
  return profiles
}

const profileOf = async (model: ScenarioModel, say: (text: string) => void): Promise<ModelProfile> => {
  if (model.kind === 'synthetic') {
    const { name, blocks, activations } = model
    return { name, work: blocks.map(b => b.work), weights: blocks.map(b => b.weights), activations }
  }
  const { activationsAt, cutsForCluster, studyModel } = await import('../../model/cut-model.ts')
  const { openModel } = await import('../../runtime/onnx/open-model.ts')
  const { profileBlocks } = await import('../../runtime/onnx/profile-blocks.ts')
  const { describeLeftOut } = await import('../../model/left-out.ts')
  const { parseShapes } = await import('../node/parse-shapes.ts')
  say(`measuring ${model.name} (${model.file}) on this machine …`)
  const studied = await studyModel(model.file, parseShapes(model.shapes), openModel)
  if (studied.leftOut.length > 0) say(`${model.name}: ${describeLeftOut(studied.leftOut)}`)
  const cuts = cutsForCluster(studied, model.maxBlocks)
  const { blocks, activations } = await profileBlocks(studied, cuts, { runs: RUNS, threads: 1 })
  return {
    name: model.name,
    work: blocks.map(block => seconds(block.seconds)),
    weights: blocks.map(block => bytes(block.loadedBytes)),
    activations: activations.map(bytes),
    unencodable: activationsAt(studied, cuts).map(({ tensors }) =>
      bytes(tensors.reduce((sum, { name, type }) => sum + (type === 'float32' ? 0 : studied.facts.bytes(name)), 0))
    )
  }
}
