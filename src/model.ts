/**
 * ONNX models: where they can be cut, their blocks as bytes, what these cost.
 *
 * @module
 */
export type { TensorSpec } from './core/tensor.ts'
export { NoAnswerError, TributaryError, UserError } from './core/user-error.ts'
export {
  type BlockSummary,
  type CutPointFacts,
  type Cuts,
  type Model,
  type ModelBlock,
  type ModelCosts,
  type ReadModelOptions,
  readModel
} from './studies/read-model.ts'
