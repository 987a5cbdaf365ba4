import type { TensorSpec } from '../../core/tensor.ts'
import type { Seconds } from '../../core/units.ts'
import type { InputShapes } from '../../model/tensor-facts.ts'

export interface OwnedModel {
  /** The ONNX file. */
  readonly file: string
  readonly name: string
  /** A shape for each input that has dynamic dimensions. */
  readonly shapes: InputShapes
  /** Shapes that the sources' data has, for inputs that `shapes` does not name. */
  readonly exampleShapes?: (inputs: readonly TensorSpec[]) => InputShapes
  readonly maxBlocks: number
  /** Cut exactly at these tensors instead; empty: where it is best. */
  readonly cutAt: readonly string[]
  /** Seconds of each block at speed 1, where they are not to be measured here. */
  readonly work?: readonly Seconds[]
  /** Where blocks are written before they are known by their hash, and manifests are kept for the next start. */
  readonly folder: string
}
