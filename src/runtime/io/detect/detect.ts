import type { Tensor } from '../../../core/tensor.ts'
import { UserError } from '../../../core/user-error.ts'
import type { ImagePlace } from '../image-place.ts'
import { inImage } from '../image-place.ts'
import type { Box } from './detection.ts'
import { DETECTION_FAMILIES, type DetectionFamilyName } from './detection-families.ts'
import { type Suppression, suppress } from './suppress.ts'

/** Something that was seen. */
export interface Detection {
  /** Of the class. */
  readonly index: number
  readonly label?: string
  readonly score: number
  /** In pixels of the item's image, to a hundredth. */
  readonly box: Box
}

export interface DetectOptions extends Suppression {
  readonly family: DetectionFamilyName
  readonly threshold: number
  /** By class; '' or absent where it has none. */
  readonly labels: readonly string[]
}

/** What is in the image, the likeliest first. @throws UserError when the outputs are not of the family */
export const detect = (outputs: readonly Tensor[], options: DetectOptions, place: ImagePlace): Detection[] => {
  const { family, threshold, labels, iou, limit } = options
  const { takes, isSuppressed, read } = DETECTION_FAMILIES[family]
  const candidates = read(outputs, { ...place.fitting.canvas, threshold })
  if (candidates === undefined) {
    const given = outputs.map(({ name, type, dims }) => `${name} ${type}[${dims.join(', ')}]`).join('; ')
    throw new UserError(`output kind detect, family ${family} takes ${takes}; the model gives: ${given}`)
  }
  const seen = candidates.filter(({ box }) => box.every(Number.isFinite))
  return suppress(seen, { ...options, iou: isSuppressed ? 1 : iou, limit }).map(({ index, score, box }) => ({
    index,
    ...(labels[index] ? { label: labels[index] } : {}),
    score: rounded(score, 1e4),
    box: inImage(box, place).map(side => rounded(side, 100)) as unknown as Box
  }))
}

const rounded = (number: number, parts: number): number => Math.round(number * parts) / parts
