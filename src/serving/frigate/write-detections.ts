import type { Tensor } from '../../core/tensor.ts'
import { suppress } from '../../runtime/io/detect/suppress.ts'
import { ServingError } from '../serving-error.ts'
import { FRIGATE_FAMILIES, type FrigateFamily } from './frigate-families.ts'

const ROWS = 20
const COLUMNS = 6
/** A score must be above it, and scores are float32. */
const THRESHOLD = Math.fround(0.4)
/** Of two boxes that overlap by more, of whatever classes, the likelier one stays. */
const OVERLAP = 0.4

/** What stands where nothing was seen, or nothing could be computed. */
export const noDetections = (): Buffer => Buffer.alloc(ROWS * COLUMNS * Float32Array.BYTES_PER_ELEMENT)

export interface InputSize {
  readonly width: number
  readonly height: number
}

/**
 * The table that Frigate takes: float32 [20][6], rows [class, score, top, left, bottom, right], the last four as shares of the
 * model's input, best first, filled with zeros.
 * @throws ServingError where the outputs are not those of the family
 */
export const writeDetections = (
  outputs: readonly Tensor[],
  name: FrigateFamily,
  { width, height }: InputSize
): Buffer => {
  const family = FRIGATE_FAMILIES[name]
  const found = family.read(outputs, { width, height, threshold: THRESHOLD })
  if (found === undefined) {
    const given = outputs.map(({ name, type, dims }) => `${name} ${type}[${dims.join(', ')}]`).join('; ')
    throw new ServingError('failed', `model_type ${name} takes ${family.takes}; the model gives: ${given}`)
  }
  const seen = found.filter(({ box }) => box.every(Number.isFinite))
  const best = suppress(seen, { iou: family.isSuppressed ? 1 : OVERLAP, limit: ROWS, byClass: false })
  const table = noDetections()
  best.forEach(({ box: [left, top, right, bottom], index, score }, row) => {
    const shares = [top / height, left / width, bottom / height, right / width].map(within)
    const numbers = [name === 'ssd' ? index + ssdOffset(outputs) : index, score, ...shares]
    numbers.forEach((number, column) => {
      table.writeFloatLE(number, (row * COLUMNS + column) * Float32Array.BYTES_PER_ELEMENT)
    })
  })
  return table
}

const within = (share: number): number => Math.min(1, Math.max(0, share))

/** Rows of OpenVINO's kind come to Frigate's users with the number that the model has for a class, which counts from 1. */
const ssdOffset = (outputs: readonly Tensor[]): number => (outputs.length === 1 ? 1 : 0)
