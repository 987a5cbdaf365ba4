import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { FilePath } from '../io/file-path.ts'
import type { ItemStamp } from '../io/item-stamp.ts'

/** Where a source's data comes from: files in a folder, in name order. */
export interface Item {
  /** Shown to people and written to the sink: the file's path relative to the folder, `\xHH` for bytes that are not UTF-8. */
  readonly name: string
  readonly path: FilePath
}

/**
 * How a source's items become tensors and tensors become answers: the `--preset` or `--io` of a node.
 * @throws FileUnavailable from `read` and `stamp` while a file is absent or unreadable; another UserError from `read` when it
 *   is not what it should be
 */
export interface DataPort {
  /**
   * The items of a folder, in name order.
   * @param say is told what is passed over
   * @throws FileUnavailable when there is no such folder, or nothing in it
   */
  list(folder: string, say?: (text: string) => void): Promise<readonly Item[]>
  /** The model's inputs for one item; dims fit the model's input specs. */
  read(item: Item): Promise<readonly Tensor[]>
  /** Tells whether the item has changed since. */
  stamp(item: Item): Promise<ItemStamp>
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
