import type { ModelId } from '../../core/ids.ts'

export interface OwnedModel {
  /** The ONNX file. */
  readonly file: string
  readonly name: string
  /** A shape for each input that has dynamic dimensions. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** Known once it is cut. */
  id?: ModelId
}
