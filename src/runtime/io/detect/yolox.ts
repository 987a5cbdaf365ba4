import { numbersOf } from '../tensor-numbers.ts'
import type { Candidate } from './detection.ts'
import { centred, type DetectionFamily, highest, matrixOf } from './detection-family.ts'
import { gridCells } from './grid-cells.ts'

const STRIDES = [8, 16, 32]

/** Rows [x, y in cells from the own one, log width, log height in cells, score of the box, a score for each class]. */
export const yolox: DetectionFamily = {
  takes: 'one output [1, boxes, 5 + classes] with a box for each cell of the strides 8, 16 and 32',
  mayHave: outputs => outputs === 1,
  isSuppressed: false,
  classes: ([output]) => {
    const matrix = matrixOf(output?.dims ?? [])
    return matrix === undefined ? undefined : matrix[1] - 5
  },
  read: (outputs, { width, height, threshold }) => {
    const matrix = outputs.length === 1 ? matrixOf(outputs[0]!.dims) : undefined
    const cells = gridCells(width, height, STRIDES)
    if (matrix === undefined || matrix[1] < 6 || matrix[0] !== cells.length) return undefined
    const columns = matrix[1]
    const values = numbersOf(outputs[0]!)
    const found: Candidate[] = []
    for (const [i, cell] of cells.entries()) {
      const at = i * columns
      const box = values[at + 4]!
      if (!(box > threshold)) continue
      const { index, value } = highest(values, { from: at + 5, count: columns - 5 })
      if (!(box * value > threshold)) continue
      const { x, y, stride } = cell
      const [width, height] = [Math.exp(values[at + 2]!) * stride, Math.exp(values[at + 3]!) * stride]
      const centre = [(values[at]! + x) * stride, (values[at + 1]! + y) * stride] as const
      found.push({ box: centred(...centre, width, height), index, score: box * value })
    }
    return found
  }
}
