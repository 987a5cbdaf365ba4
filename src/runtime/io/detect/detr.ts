import type { Tensor } from '../../../core/tensor.ts'
import { numbersOf } from '../tensor-numbers.ts'
import type { Candidate } from './detection.ts'
import { centred, type DetectionFamily, highest, matrixOf, type OutputShape } from './detection-family.ts'

const isBoxes = ({ dims }: OutputShape): boolean => dims.at(-1) === 4

/** By name first: logits of three classes are four numbers for each query too. */
const boxesOf = <T extends OutputShape>(outputs: readonly T[]): T | undefined =>
  outputs.find(output => isBoxes(output) && /(?:boxes|dets)(?::\d+)?$/.test(output.name)) ?? outputs.find(isBoxes)

/** RF-DETR: boxes [x, y, width, height] as shares of the input; logits, of which the first is for nothing. */
export const rfdetr: DetectionFamily = {
  takes: 'two outputs, boxes [1, queries, 4] and logits [1, queries, 1 + classes]',
  mayHave: outputs => outputs === 2,
  isSuppressed: false,
  classes: outputs => {
    const boxes = boxesOf(outputs)
    const columns = outputs.find(output => output !== boxes)?.dims.at(-1)
    return typeof columns === 'number' ? columns - 1 : undefined
  },
  read: (outputs, { width, height, threshold }) => {
    const boxes = boxesOf(outputs)
    const logits = outputs.find(output => output !== boxes)
    if (boxes === undefined || logits === undefined || outputs.length !== 2) return undefined
    const [matrix, shape] = [matrixOf(logits.dims), matrixOf(boxes.dims)]
    if (matrix === undefined || shape === undefined || matrix[0] !== shape[0] || matrix[1] < 2) return undefined
    const [values, sides] = [numbersOf(logits), numbersOf(boxes)]
    const found: Candidate[] = []
    for (let row = 0; row < matrix[0]; row++) {
      const { index, score } = likeliest(values, row * matrix[1], matrix[1])
      if (!(score > threshold)) continue
      const of = (side: number): number => sides[row * 4 + side]! * (side % 2 === 0 ? width : height)
      found.push({ box: centred(of(0), of(1), of(2), of(3)), index, score })
    }
    return found
  }
}

/** By softmax over all of them, among those behind the first. */
const likeliest = (
  logits: ArrayLike<number>,
  from: number,
  count: number
): { readonly index: number; readonly score: number } => {
  const { index, value } = highest(logits, { from: from + 1, count: count - 1 })
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.exp(logits[from + i]! - value)
  return { index, score: 1 / sum }
}

/** D-FINE and RT-DETR: classes (integers), boxes [left, top, right, bottom] in pixels, scores. */
export const dfine: DetectionFamily = {
  takes: 'three outputs, labels [1, boxes] of integers, boxes [1, boxes, 4] and scores [1, boxes]',
  mayHave: outputs => outputs === 3,
  isSuppressed: false,
  classes: () => undefined,
  read: (outputs, { threshold }) => {
    const boxes = boxesOf(outputs)
    const labels = outputs.find(output => output !== boxes && /^u?int/.test(output.type))
    const scores = outputs.find(output => output !== boxes && output !== labels)
    if (boxes === undefined || labels === undefined || scores === undefined || outputs.length !== 3) return undefined
    const [corners, classes, values] = [boxes, labels, scores].map(numbersOf) as [Numbers, Numbers, Numbers]
    if (corners.length !== 4 * values.length || classes.length !== values.length) return undefined
    return Array.from(values, (score, i) => ({ box: cornersAt(corners, 4 * i), index: classes[i]!, score })).filter(
      ({ score }) => score > threshold
    )
  }
}

type Numbers = ReturnType<typeof numbersOf>

const cornersAt = (values: ArrayLike<number>, at: number): Candidate['box'] => [
  values[at]!,
  values[at + 1]!,
  values[at + 2]!,
  values[at + 3]!
]

/** YOLO-NAS with its own suppression: rows [which image, left, top, right, bottom, score, class], in pixels. */
export const yolonas: DetectionFamily = {
  takes: 'one output of rows [image, left, top, right, bottom, score, class]',
  mayHave: outputs => outputs === 1,
  isSuppressed: true,
  classes: () => undefined,
  read: (outputs, { threshold }) => {
    const rows = outputs.length === 1 ? sevens(outputs[0]!) : undefined
    return rows
      ?.map(row => ({ box: cornersAt(row, 1), index: row[6]!, score: row[5]! }))
      .filter(({ score }) => score > threshold)
  }
}

/** The rows of seven numbers that an output consists of. */
export const sevens = (output: Tensor): number[][] | undefined => {
  if (output.dims.at(-1) !== 7) return undefined
  const values = Array.from(numbersOf(output))
  return Array.from({ length: values.length / 7 }, (_, i) => values.slice(7 * i, 7 * i + 7))
}
