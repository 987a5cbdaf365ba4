import { type Seconds, seconds } from '../../core/units.ts'
import { cutsForCluster } from '../../model/cut-model.ts'
import { studyModel } from '../../model/files/study-model.ts'
import { parseShapes } from '../../model/parse-shapes.ts'
import { openModel } from '../../runtime/onnx/open-model.ts'

/** A text line of usual width, as the blocks are cut for. */
export const DEMO_SHAPE = 'x=1x3x48x320'
export const DEMO_BLOCKS = 12

/**
 * Of one image at speed 1: about what it takes on a core of a small server. Declared, not measured: the devices of the demo
 * are the same whatever this machine does besides, as long as it can compute an image in three times as long.
 */
const IMAGE: Seconds = seconds(0.03)

/** What each block takes at speed 1: its share of the model's work, by arithmetic and memory traffic. */
export const declaredTimes = async (modelFile: string): Promise<readonly Seconds[]> => {
  const studied = await studyModel(modelFile, parseShapes([DEMO_SHAPE]), openModel)
  const ends = [
    0,
    ...cutsForCluster(studied, DEMO_BLOCKS).map(cut => studied.cutPoints[cut]!.position),
    studied.costs.length
  ]
  const sum = (from: number, to: number): number =>
    studied.costs.slice(from, to).reduce((all, { work }) => all + work, 0)
  const whole = sum(0, studied.costs.length)
  return ends.slice(1).map((end, k) => seconds(IMAGE * (sum(ends[k]!, end) / whole)))
}
