import type { Tensor, TensorSpec } from '../../core/tensor.ts'

/** A model that somebody computes, wherever that is. */
export interface Answerer extends AsyncDisposable {
  readonly model: string
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /** @throws NoAnswerError with why there is none */
  compute(tensors: readonly Tensor[]): Promise<readonly Tensor[]>
}
