import type { TensorSpec } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import type { WeightChoice } from '../../core/weight-choice.ts'
import type { InputShapes } from '../../model/input-shapes.ts'
import type { OwnedModel } from '../device/owned-model.ts'

/** A model that is an ONNX file, and how it is cut. */
export interface OnnxModel extends OwnedModel {
  /** A shape for each input that has dynamic dimensions. */
  readonly shapes: InputShapes
  /** Shapes that the sources' data have, of all inputs of a model; dimensions that are known already are numbers. */
  readonly exampleShapes?: (inputs: readonly TensorSpec[]) => InputShapes
  readonly maxBlocks: number
  /** Cut exactly at these tensors instead; empty: where it is best. */
  readonly cutAt: readonly string[]
  /** How its weights are stored. @default as the file has them */
  readonly weights?: WeightChoice
  /** Seconds of each block at speed 1, where they are not to be measured here. */
  readonly work?: readonly Seconds[]
  /** The first block runs on the device of the datum's source and nowhere else. */
  readonly pinned?: boolean
  /** Where blocks are written before they are known by their hash, and manifests are kept for the next start. */
  readonly folder: string
}
