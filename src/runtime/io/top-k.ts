import type { Tensor } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { numbersOf } from './tensor-numbers.ts'

export interface RankedClass {
  readonly index: number
  readonly label?: string
  /** Probability: the model's own, or the softmax of its scores. */
  readonly score: number
}

export interface TopKOptions {
  readonly k: number
  readonly labels: readonly string[]
  /** Of the output; the first when absent. */
  readonly name?: string | undefined
}

/** The k best classes, best first, ties by index. @throws UserError when there is no such output or its size is not the labels' */
export const topK = (outputs: readonly Tensor[], { k, labels, name }: TopKOptions): readonly RankedClass[] => {
  const tensor = name === undefined ? outputs[0] : outputs.find(output => output.name === name)
  if (tensor === undefined) {
    const known = outputs.map(output => output.name).join(', ')
    throw new UserError(`output.name "${name}" is not an output of the model (known: ${known})`)
  }
  const scores = probabilities(numbersOf(tensor))
  if (labels.length > 0 && labels.length !== scores.length) {
    throw new UserError(`output "${tensor.name}" has ${scores.length} classes and output.labels ${labels.length} lines`)
  }
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, k)
  return order.map(index => {
    const label = labels[index]
    return { index, ...(label === undefined ? {} : { label }), score: scores[index]! }
  })
}

const probabilities = (values: ArrayLike<number>): Float64Array => {
  const scores = Float64Array.from(values)
  const sum = scores.reduce((a, b) => a + b, 0)
  if (scores.every(value => value >= 0) && Math.abs(sum - 1) < 0.02) return scores
  const top = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const exponentials = scores.map(value => Math.exp(value - top))
  const total = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map(value => value / total)
}
