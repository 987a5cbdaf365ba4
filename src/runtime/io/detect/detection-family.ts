import type { Dimension, Tensor } from '../../../core/tensor.ts'
import type { Candidate } from './detection.ts'

/** What is known of an output: its elements too, of a result. */
export interface OutputShape {
  readonly name: string
  readonly dims: readonly Dimension[]
}

/** The image as the model had it, in pixels, and what is not worth looking at. */
export interface DetectionFrame {
  readonly width: number
  readonly height: number
  /** Candidates whose score is not above it are left out. */
  readonly threshold: number
}

/** How the outputs of one family of detectors are read. */
export interface DetectionFamily {
  /** What its outputs must be, for messages. */
  readonly takes: string
  /** Whether it may have so many. */
  readonly mayHave: (outputs: number) => boolean
  /** How many classes they tell apart; undefined where their shapes do not say, or not yet. */
  readonly classes: (outputs: readonly OutputShape[]) => number | undefined
  /** Overlapping boxes are merged inside the model. */
  readonly isSuppressed: boolean
  /** @returns undefined when the outputs are not of this family */
  readonly read: (outputs: readonly Tensor[], frame: DetectionFrame) => Candidate[] | undefined
}

/** The last two dimensions, where all before them are 1: rows and columns. */
export const matrixOf = (dims: readonly Dimension[]): readonly [rows: number, columns: number] | undefined => {
  const [rows, columns] = dims.slice(-2)
  const isOne = dims.slice(0, -2).every(dim => dim === 1 || typeof dim === 'string' || dim === null)
  return typeof rows === 'number' && typeof columns === 'number' && isOne ? [rows, columns] : undefined
}

/** The highest of `count` values from `from` on, `step` apart; the first of equals. */
export const highest = (
  values: ArrayLike<number>,
  { from, step = 1, count }: { readonly from: number; readonly step?: number; readonly count: number }
): { readonly index: number; readonly value: number } => {
  let index = 0
  let value = values[from]!
  for (let i = 1; i < count; i++) {
    const other = values[from + i * step]!
    if (other > value) [index, value] = [i, other]
  }
  return { index, value }
}

/** A box told by its centre and size. */
export const centred = (x: number, y: number, width: number, height: number): Candidate['box'] => [
  x - width / 2,
  y - height / 2,
  x + width / 2,
  y + height / 2
]
