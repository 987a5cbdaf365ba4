import type { Tensor } from '../../../core/tensor.ts'
import { numbersOf } from '../tensor-numbers.ts'
import type { Candidate } from './detection.ts'
import {
  centred,
  type DetectionFamily,
  type DetectionFrame,
  highest,
  matrixOf,
  type OutputShape
} from './detection-family.ts'

/** Of the outputs of three sizes, in pixels. */
const SCALES = [
  {
    stride: 8,
    anchors: [
      [12, 16],
      [19, 36],
      [40, 28]
    ]
  },
  {
    stride: 16,
    anchors: [
      [36, 75],
      [76, 55],
      [72, 146]
    ]
  },
  {
    stride: 32,
    anchors: [
      [142, 110],
      [192, 243],
      [459, 401]
    ]
  }
] as const
const ANCHORS = 3

/** Rows [left, top, right, bottom, score, class] of a model that chooses its boxes itself, and at most so many of them. */
const END_TO_END = { columns: 6, rows: 1000 } as const

/**
 * One output of rows [x, y, width, height, a score for each class], in pixels, or its transpose, told by having more boxes
 * than numbers for each; or three outputs [1, 3 x (5 + classes), y, x] that are to be laid on anchors. YOLOv10 and others that
 * choose their boxes themselves give a few rows [left, top, right, bottom, score, class].
 */
export const yolo: DetectionFamily = {
  takes:
    'one output [1, 4 + classes, boxes] or [1, boxes, 4 + classes], one of at most 1000 rows [left, top, right, bottom, score, class], or three [1, 3 x (5 + classes), y, x]',
  mayHave: outputs => outputs === 1 || outputs === SCALES.length,
  isSuppressed: false,
  classes: outputs => {
    if (outputs.length === SCALES.length) return classesOfAnchors(outputs[0]!)
    const matrix = matrixOf(outputs[0]?.dims ?? [])
    return matrix === undefined || isEndToEnd(matrix) ? undefined : Math.min(...matrix) - 4
  },
  read: (outputs, frame) => {
    if (outputs.length === SCALES.length) return readScales(outputs, frame)
    const [output] = outputs
    const matrix = outputs.length === 1 ? matrixOf(output!.dims) : undefined
    if (matrix === undefined) return undefined
    return (isEndToEnd(matrix) ? readEndToEnd : readMatrix)(numbersOf(output!), matrix, frame)
  }
}

/** The same where no model chooses its boxes itself: six numbers of a row are a box and two classes. */
export const yoloRows: DetectionFamily = {
  ...yolo,
  read: (outputs, frame) => {
    if (outputs.length === SCALES.length) return readScales(outputs, frame)
    const matrix = outputs.length === 1 ? matrixOf(outputs[0]!.dims) : undefined
    return matrix === undefined ? undefined : readMatrix(numbersOf(outputs[0]!), matrix, frame)
  }
}

/** YOLOv5: each box has a score of its own as well. */
export const yolov5: DetectionFamily = {
  takes: 'one output [1, boxes, 5 + classes]',
  mayHave: outputs => outputs === 1,
  isSuppressed: false,
  classes: ([output]) => {
    const matrix = matrixOf(output?.dims ?? [])
    return matrix === undefined ? undefined : matrix[1] - 5
  },
  read: (outputs, { threshold }) => {
    const matrix = outputs.length === 1 ? matrixOf(outputs[0]!.dims) : undefined
    if (matrix === undefined || matrix[1] < 6) return undefined
    const [rows, columns] = matrix
    const values = numbersOf(outputs[0]!)
    const found: Candidate[] = []
    for (let at = 0; at < rows * columns; at += columns) {
      const box = values[at + 4]!
      if (!(box > threshold)) continue
      const { index, value } = highest(values, { from: at + 5, count: columns - 5 })
      if (!(box * value > threshold)) continue
      found.push({ box: centredAt(values, at, 1), index, score: box * value })
    }
    return found
  }
}

const isEndToEnd = ([rows, columns]: readonly [number, number]): boolean =>
  columns === END_TO_END.columns && rows <= END_TO_END.rows

const readEndToEnd = (
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  { threshold }: DetectionFrame
): Candidate[] =>
  Array.from({ length: rows }, (_, row) => {
    const of = (number: number): number => values[row * columns + number]!
    return { box: [of(0), of(1), of(2), of(3)] as const, score: of(4), index: of(5) }
  }).filter(({ score }) => score > threshold)

const readMatrix = (
  values: ArrayLike<number>,
  [first, second]: readonly [number, number],
  { threshold }: DetectionFrame
): Candidate[] | undefined => {
  const isTransposed = first < second
  const [rows, columns] = isTransposed ? [second, first] : [first, second]
  if (columns < 5) return undefined
  const [rowStep, step] = isTransposed ? [1, rows] : [columns, 1]
  const found: Candidate[] = []
  for (let row = 0; row < rows; row++) {
    const at = row * rowStep
    const { index, value } = highest(values, { from: at + 4 * step, step, count: columns - 4 })
    if (value > threshold) found.push({ box: centredAt(values, at, step), index, score: value })
  }
  return found
}

const centredAt = (values: ArrayLike<number>, at: number, step: number): Candidate['box'] =>
  centred(values[at]!, values[at + step]!, values[at + 2 * step]!, values[at + 3 * step]!)

const classesOfAnchors = ({ dims }: OutputShape): number | undefined => {
  const channels = dims.at(-3)
  return typeof channels === 'number' && channels % ANCHORS === 0 ? channels / ANCHORS - 5 : undefined
}

const readScales = (outputs: readonly Tensor[], frame: DetectionFrame): Candidate[] | undefined => {
  const found: Candidate[] = []
  for (const output of outputs) {
    const classes = output.dims.length === 4 && output.dims[0] === 1 ? (classesOfAnchors(output) ?? 0) : 0
    // Files give their outputs in any order: how many columns an output has says of which size it is.
    const scale = SCALES.find(({ stride }) => Math.ceil(frame.width / stride) === output.dims[3])
    if (classes < 1 || scale === undefined) return undefined
    for (let anchor = 0; anchor < ANCHORS; anchor++) readAnchor(output, { scale, anchor, classes }, frame, found)
  }
  return found
}

/** One layer of channels for each number of a box; x and y are within their cell, width and height shares of the anchor. */
const readAnchor = (
  output: Tensor,
  {
    scale,
    anchor,
    classes
  }: { readonly scale: (typeof SCALES)[number]; readonly anchor: number; readonly classes: number },
  { threshold }: DetectionFrame,
  found: Candidate[]
): void => {
  const values = numbersOf(output)
  const [rows, columns] = output.dims.slice(-2) as [number, number]
  const { stride, anchors } = scale
  const [width, height] = anchors[anchor]!
  const layer = rows * columns
  const base = anchor * (5 + classes) * layer
  for (let cell = 0; cell < layer; cell++) {
    const at = base + cell
    const box = values[at + 4 * layer]!
    if (!(box > threshold)) continue
    const { index, value } = highest(values, { from: at + 5 * layer, step: layer, count: classes })
    if (!(box * value > threshold)) continue
    const of = (number: number): number => values[at + number * layer]!
    const x = (of(0) * 2 - 0.5 + (cell % columns)) * stride
    const y = (of(1) * 2 - 0.5 + Math.floor(cell / columns)) * stride
    found.push({ box: centred(x, y, (of(2) * 2) ** 2 * width, (of(3) * 2) ** 2 * height), index, score: box * value })
  }
}
