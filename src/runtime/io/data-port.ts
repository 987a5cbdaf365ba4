import type { Tensor, TensorSpec } from '../../core/tensor.ts'

/** Where a source's data comes from: files in a folder, in name order. */
export interface Item {
  /** Shown to people and written to the sink: the file's path relative to the folder. */
  readonly name: string
  readonly path: string
}

/**
 * How a source's items become tensors and tensors become answers: the `--preset` or `--io` of a node.
 * @throws UserError from `read` when the file is not what it should be: it is skipped, reported and counted
 */
export interface DataPort {
  /**
   * The items of a folder, in name order.
   * @throws UserError when there is no such folder, or nothing in it
   */
  list(folder: string): Promise<readonly Item[]>
  /** The model's inputs for one item; dims fit the model's input specs. */
  read(item: Item): Promise<readonly Tensor[]>
  /**
   * What goes into the sink for one result, as a JSON value: text, labels, or the path of a .npy file.
   * @throws UserError when the model's outputs are not what the port expects
   */
  write(item: Item, outputs: readonly Tensor[]): Promise<unknown>
  /** Shapes for profiling: every dynamic dimension of the inputs made concrete. */
  exampleInputs(
    inputs: readonly TensorSpec[]
  ): readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[]
}
