import { numbersOf } from '../tensor-numbers.ts'
import type { Candidate } from './detection.ts'
import { type DetectionFamily, highest, matrixOf } from './detection-family.ts'
import { gridCells } from './grid-cells.ts'

const STRIDES = [8, 16, 32, 64]
/** Each side of a box is a distribution over 0 .. 7 cells from the own one (Li et al., 2020, Generalized Focal Loss). */
const BINS = 8
const SIDES = 4

/** NanoDet-Plus: rows [a score for each class, 4 x 8 logits of the distances to left, top, right, bottom]. */
export const nanodet: DetectionFamily = {
  takes: 'one output [1, boxes, classes + 32] with a box for each cell of the strides 8, 16, 32 and 64',
  mayHave: outputs => outputs === 1,
  isSuppressed: false,
  classes: ([output]) => {
    const matrix = matrixOf(output?.dims ?? [])
    return matrix === undefined ? undefined : matrix[1] - SIDES * BINS
  },
  read: (outputs, { width, height, threshold }) => {
    const matrix = outputs.length === 1 ? matrixOf(outputs[0]!.dims) : undefined
    const cells = gridCells(width, height, STRIDES)
    if (matrix === undefined || matrix[0] !== cells.length || matrix[1] <= SIDES * BINS) return undefined
    const columns = matrix[1]
    const classes = columns - SIDES * BINS
    const values = numbersOf(outputs[0]!)
    const found: Candidate[] = []
    for (const [i, { x, y, stride }] of cells.entries()) {
      const { index, value } = highest(values, { from: i * columns, count: classes })
      if (!(value > threshold)) continue
      const side = (n: number): number => expected(values, i * columns + classes + n * BINS) * stride
      const [atX, atY] = [x * stride, y * stride]
      found.push({ box: [atX - side(0), atY - side(1), atX + side(2), atY + side(3)], index, score: value })
    }
    return found
  }
}

/** Mean of a distribution over 0 .. 7 that is told by its logits. */
const expected = (logits: ArrayLike<number>, from: number): number => {
  const top = highest(logits, { from, count: BINS }).value
  let [sum, mean] = [0, 0]
  for (let bin = 0; bin < BINS; bin++) {
    const weight = Math.exp(logits[from + bin]! - top)
    sum += weight
    mean += weight * bin
  }
  return mean / sum
}
