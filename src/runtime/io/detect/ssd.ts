import type { Tensor } from '../../../core/tensor.ts'
import { numbersOf } from '../tensor-numbers.ts'
import type { Candidate } from './detection.ts'
import type { DetectionFamily, DetectionFrame } from './detection-family.ts'
import { sevens } from './detr.ts'

/** Classes are counted from 1 there: 0 is for nothing. */
const FIRST_CLASS = 1

/**
 * SSD, its suppression inside: OpenVINO's rows [image, class, score, left, top, right, bottom], or TensorFlow's outputs
 * boxes [top, left, bottom, right], classes, scores and how many there are. All as shares of the input.
 */
export const ssd: DetectionFamily = {
  takes:
    'one output [1, 1, boxes, 7], or outputs whose names end in boxes [1, boxes, 4], classes [1, boxes] and scores [1, boxes]',
  mayHave: outputs => outputs === 1 || outputs >= 3,
  isSuppressed: true,
  classes: () => undefined,
  read: (outputs, frame) => {
    const found = outputs.length === 1 ? ofOpenVino(outputs[0]!, frame) : ofTensorFlow(outputs, frame)
    return found?.filter(({ score, index }) => score > frame.threshold && index >= 0)
  }
}

const ofOpenVino = (output: Tensor, { width, height }: DetectionFrame): Candidate[] | undefined => {
  const rows = sevens(output)
  const end = rows?.findIndex(([image]) => image! < 0) ?? -1 // the rows behind it were not written
  return (end === -1 ? rows : rows?.slice(0, end))?.map(([, label, score, left, top, right, bottom]) => ({
    box: [left! * width, top! * height, right! * width, bottom! * height],
    index: label! - FIRST_CLASS,
    score: score!
  }))
}

/** Exports with all of TensorFlow's outputs have raw boxes too, and scores of every class: those are for others. */
const namedOf = (outputs: readonly Tensor[], what: string): Tensor | undefined =>
  outputs.find(({ name }) => new RegExp(`^(?:.*[/:])?detection_${what}(?::\\d+)?$`).test(name)) ??
  outputs.find(({ name }) => !/raw_|multiclass_/.test(name) && new RegExp(`${what}(?::\\d+)?$`).test(name))

const ofTensorFlow = (outputs: readonly Tensor[], { width, height }: DetectionFrame): Candidate[] | undefined => {
  const named = (what: string) => namedOf(outputs, what)
  const [boxes, classes, scores] = [named('boxes'), named('classes'), named('scores')]
  if (boxes === undefined || classes === undefined || scores === undefined) return undefined
  const [sides, labels, values] = [numbersOf(boxes), numbersOf(classes), numbersOf(scores)]
  if (sides.length !== 4 * values.length || labels.length !== values.length) return undefined
  const number = outputs.find(({ name }) => /num_detections(?::\d+)?$/.test(name))
  const count = number === undefined ? values.length : Math.min(values.length, numbersOf(number)[0]!)
  return Array.from({ length: count }, (_, i) => ({
    box: [sides[4 * i + 1]! * width, sides[4 * i]! * height, sides[4 * i + 3]! * width, sides[4 * i + 2]! * height],
    index: labels[i]! - FIRST_CLASS,
    score: values[i]!
  }))
}
