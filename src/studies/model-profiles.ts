import type { ModelProfile } from '../core/model-profile.ts'
import type { Scenario, ScenarioModel } from '../core/scenario.ts'
import { bytes, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { refusedAs } from './refused-as.ts'
import { findCosts, type MeasuredModel, readCosts, type SavedCosts } from './saved-costs.ts'

/** Timed runs of a model that is measured. */
const RUNS = 12

/**
 * What the models of a scenario cost: as written for synthetic ones; for files as it was saved, or measured here, on one
 * thread.
 * @param say told what is being measured: it takes seconds
 * @param costsFiles of `profile`; nothing is measured where there are some
 * @throws UserError `badModel` where a file cannot be read, opened or shaped, or is not among what was saved
 */
export const modelProfiles = async (
  scenario: Scenario,
  say: (text: string) => void,
  costsFiles: readonly string[] = []
): Promise<ModelProfile[]> => {
  const saved: SavedCosts[] = []
  for (const file of costsFiles) saved.push(await readCosts(file, 'costs'))
  const profiles: ModelProfile[] = []
  for (const model of scenario.models) {
    const facts = { model: model.name, ...(model.kind === 'file' ? { file: model.file } : {}) }
    profiles.push(await refusedAs({ code: 'badModel', facts }, () => profileOf(model, say, saved))) // one after another: they are timed
  }
  return profiles
}

type FileModel = Extract<ScenarioModel, { readonly kind: 'file' }>

const fromSaved = (model: FileModel, { blocks, activations, unencodable }: MeasuredModel): ModelProfile => ({
  ...declaredOf(model, blocks.length),
  work: blocks.map(block => seconds(block.seconds)),
  weights: blocks.map(block => bytes(block.bytes)),
  activations: activations.map(bytes),
  unencodable: unencodable.map(bytes)
})

/** What the scenario says of a file itself. @throws UserError for times of another number of blocks than it is cut into */
const declaredOf = (model: FileModel, blocks: number) => {
  const { name, pinned, times } = model
  const other = times?.find(of => of !== undefined && of.length !== blocks)
  if (other !== undefined)
    throw new UserError(
      `models.${name}.times: ${other.length} times for ${blocks} blocks, which is what the file is cut into; give one for each, or other maxBlocks`
    )
  return { name, pinned: pinned === true, ...(times === undefined ? {} : { times }), ...batchOf(model, blocks) }
}

/** Of each block alike. */
const batchOf = ({ batch }: ScenarioModel, blocks: number): Pick<ModelProfile, 'batch'> =>
  batch === undefined
    ? {}
    : { batch: batch.map(curve => (curve === undefined ? undefined : new Array(blocks).fill(curve))) }

const profileOf = async (
  model: ScenarioModel,
  say: (text: string) => void,
  saved: readonly SavedCosts[]
): Promise<ModelProfile> => {
  if (model.kind === 'synthetic') {
    const { name, blocks, activations, times, pinned = false } = model
    return {
      name,
      work: blocks.map(b => b.work),
      weights: blocks.map(b => b.weights),
      activations,
      pinned,
      ...(times === undefined ? {} : { times }),
      ...batchOf(model, blocks.length)
    }
  }
  if (saved.length > 0) return fromSaved(model, await findCosts(saved, model, `models.${model.name}`))
  const { activationsAt, cutsForCluster } = await import('../model/cut-model.ts')
  const { studyModel } = await import('../model/files/study-model.ts')
  const { openModel } = await import('../runtime/onnx/open-model.ts')
  const { profileBlocks } = await import('../runtime/onnx/profile-blocks.ts')
  const { describeLeftOut } = await import('../model/left-out.ts')
  const { parseShapes } = await import('../model/parse-shapes.ts')
  say(`measuring ${model.name} (${model.file}) on this machine …`)
  const studied = await studyModel(model.file, parseShapes(model.shapes), openModel)
  if (studied.leftOut.length > 0) say(`${model.name}: ${describeLeftOut(studied.leftOut)}`)
  const cuts = cutsForCluster(studied, model.maxBlocks)
  const { blocks, activations } = await profileBlocks(studied, cuts, { runs: RUNS, threads: 1 })
  return {
    ...declaredOf(model, blocks.length),
    work: blocks.map(block => seconds(block.seconds)),
    weights: blocks.map(block => bytes(block.loadedBytes)),
    activations: activations.map(bytes),
    unencodable: activationsAt(studied, cuts).map(({ tensors }) =>
      bytes(tensors.reduce((sum, { name, type }) => sum + (type === 'float32' ? 0 : studied.facts.bytes(name)), 0))
    )
  }
}
