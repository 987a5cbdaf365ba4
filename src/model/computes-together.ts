import { isFiniteTensor, outputDifferences } from '../core/compare-outputs.ts'
import { areStackable, stackTensors, unstackTensors } from '../core/stack-tensors.ts'
import type { Tensor } from '../core/tensor.ts'
import type { OpenedModel } from './open-model.ts'

/** What came out of each datum by itself, and what went in. */
export interface RunAlone {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

/** Of the largest magnitude of an output: a product of more rows is added up in another order. */
const TOGETHER = 1e-5
/** Of one datum: with open shapes the runtime merges a product and a sum otherwise, and rounds at another place. */
const BY_ITSELF = 1e-6
/** Of it, by which outputs of different data differ at least: a mix of some of them is seen as well. */
const TELLS = 10 * TOGETHER

/**
 * Whether a block that is fed several data at once makes of each what it makes of it alone, up to a few roundings; integers and
 * truth values must be equal. So must what it makes of one by itself. Where data come out alike, or not as numbers, a mix of them
 * would not be seen: then it is not said.
 * @param together the block with open first dimensions
 * @param runs of the block as it is, of data that differ
 */
export const computesTogether = async (together: OpenedModel, runs: readonly RunAlone[]): Promise<boolean> => {
  const [first, ...others] = runs
  if (first === undefined || !others.every(({ inputs }) => areStackable(first.inputs, inputs)) || !wouldTell(runs))
    return false
  try {
    if (!areAlike(first.outputs, await together.run(first.inputs), BY_ITSELF)) return false
    const made = await together.run(stackTensors(runs.map(({ inputs }) => inputs)))
    const each = unstackTensors(made, runs.length)
    return each?.every((outputs, i) => areAlike(runs[i]!.outputs, outputs, TOGETHER)) === true
  } catch {
    return false // it refuses what it is fed
  }
}

/** Whether each output is of finite numbers, and those of different data are told apart; integers and truth values of some data. */
const wouldTell = (runs: readonly RunAlone[]): boolean => {
  if (!runs.every(({ outputs }) => outputs.every(isFiniteTensor))) return false
  const pairs = runs.flatMap((one, i) => runs.slice(i + 1).map(other => outputDifferences(one.outputs, other.outputs)))
  return runs[0]!.outputs.every(({ type }, i) => {
    const found = pairs.map(outputs => outputs[i]!)
    return type.startsWith('float')
      ? found.every(({ difference, magnitude }) => magnitude > 0 && difference > TELLS * magnitude)
      : found.some(({ difference }) => difference > 0)
  })
}

const areAlike = (expected: readonly Tensor[], actual: readonly Tensor[], tolerance: number): boolean =>
  outputDifferences(expected, actual).every(({ type, difference, magnitude }) =>
    type.startsWith('float') ? difference <= tolerance * magnitude : difference === 0
  )
