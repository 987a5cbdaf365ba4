import type { TraceParent } from '../../core/parse-traceparent.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import type { ItemStamp } from './item-stamp.ts'

/** What a datum is made of. Whatever else an adapter needs to find it stands beside its name. */
export interface Item {
  /** Shown to people and written to the sink. */
  readonly name: string
  /** What whoever asked for it follows it as. */
  readonly trace?: TraceParent | undefined
}

/**
 * How a source's items become tensors and tensors become answers: the `--preset` or `--io` of a node, or a program's own.
 * @throws ItemUnavailable from `read` and `stamp` while an item is absent or unreadable; another UserError from `read` when
 *   it is not what it should be
 */
export interface DataPort {
  /** The model's inputs for one item, each in a buffer of its own, to be given away; dims fit the model's input specs. */
  read(item: Item): Promise<readonly Tensor[]>
  /** Tells whether the item has changed since. */
  stamp(item: Item): Promise<ItemStamp>
  /**
   * What goes into the sink for one result: for a file a JSON value, that is text, labels, or where a tensor was put; for a
   * program its tensors. The outputs are not written to.
   * @param datum the item's number at its source; names of items may repeat
   * @throws UserError when the model's outputs are not what the port expects
   */
  write(item: Item, outputs: readonly Tensor[], datum?: number): Promise<unknown>
  /** Shapes for profiling: every dynamic dimension of the inputs made concrete. */
  exampleInputs(
    inputs: readonly TensorSpec[]
  ): readonly { readonly spec: TensorSpec; readonly dims: readonly number[] }[]
}
