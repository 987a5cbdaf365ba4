import type { StudiedModel } from '../cut-model.ts'
import { findCutPoints } from '../cut-points.ts'
import { analyseGraph } from '../graph-analysis.ts'
import { layerCosts } from '../layer-cost.ts'
import { optionalsAsTensors, tensorsOnly } from '../left-out.ts'
import type { OpenModel } from '../open-model.ts'
import type { InputShapes } from '../tensor-facts.ts'
import { bodyCosts } from './body-costs.ts'
import { findTensorFacts } from './find-tensor-facts.ts'
import { prepareGraph } from './prepare-graph.ts'
import { readOnnxFile } from './read-onnx-file.ts'

/** @throws UserError when it is not a model, does not open, or needs a shape */
export const studyModel = async (file: string, shapes: InputShapes, openModel: OpenModel): Promise<StudiedModel> => {
  const prepared = optionalsAsTensors(await prepareGraph(await readOnnxFile(file), openModel))
  const whole = analyseGraph(prepared)
  const facts = await findTensorFacts(whole, shapes, openModel)
  const { analysis, leftOut } = tensorsOnly(whole, facts)
  const costs = layerCosts(analysis, facts, await bodyCosts(analysis, facts, openModel))
  return { analysis, facts, costs, cutPoints: findCutPoints(analysis, facts), leftOut }
}
