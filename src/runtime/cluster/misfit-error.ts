/** A task that cannot be, or tensors that are not what the model has there: whoever made them failed, not whoever cannot use them. */
export class MisfitError extends Error {
  override readonly name = 'MisfitError'
}
