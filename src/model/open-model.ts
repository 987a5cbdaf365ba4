import type { Dimension, Tensor } from '../core/tensor.ts'

/** What ONNX Runtime says of one input or output. */
export interface PortInfo {
  readonly name: string
  readonly isTensor: boolean
  /** ONNX Runtime's name of the element type; empty when it is no tensor. */
  readonly type: string
  /** Numbers where the dimension is known; empty for a scalar, and also when not even the rank is known. */
  readonly shape: readonly Dimension[]
}

/** A model that is loaded. */
export interface OpenedModel {
  readonly inputs: readonly PortInfo[]
  readonly outputs: readonly PortInfo[]
  /** Feed every input; get every output, or those wanted, in the model's order. The feeds stay usable. */
  run(feeds: readonly Tensor[], wanted?: readonly string[]): Promise<readonly Tensor[]>
  close(): Promise<void>
}

export interface OpenModelOptions {
  /** False: nodes stay as they are, so that every tensor exists. @default true */
  readonly optimise?: boolean
  /** @default 1 */
  readonly threads?: number
}

/** ONNX Runtime, a port. @throws Error with its words when it does not open the file */
export type OpenModel = (file: string, options?: OpenModelOptions) => Promise<OpenedModel>
