import type { ActivationEntry } from '../../core/manifest.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import type { ErrorFacts } from '../../core/user-error.ts'
import type { WeightChoice } from '../../core/weight-choice.ts'
import type { WrittenBlock } from '../../model/files/write-blocks.ts'
import type { InputShapes } from '../../model/input-shapes.ts'
import type { LeftOut } from '../../model/left-out.ts'

/** What the cutting process is asked. */
export interface CutRequest {
  readonly file: string
  readonly shapes: InputShapes
  readonly maxBlocks: number
  /** Exactly at these tensors instead; empty: where it is best. */
  readonly cutAt: readonly string[]
  readonly weights?: WeightChoice | undefined
  /** Blocks are written to this path with their number and .onnx behind. */
  readonly draft: string
}

/** A model that is cut; its blocks are at `draft`. */
export interface CutFacts {
  readonly blocks: readonly WrittenBlock[]
  readonly activations: readonly ActivationEntry[]
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly string[]
  /** What no device can be fed or give back. */
  readonly leftOut: readonly LeftOut[]
}

/** What it says, once. */
export type CutAnswer =
  | { readonly kind: 'cut'; readonly facts: CutFacts }
  /** The file is no model that can be served, in words for its owner. */
  | { readonly kind: 'refused'; readonly because: string; readonly code?: string; readonly facts?: ErrorFacts }
  | { readonly kind: 'failed'; readonly because: string }
