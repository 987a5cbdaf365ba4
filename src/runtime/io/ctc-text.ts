import type { Tensor } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { numbersOf } from './tensor-numbers.ts'

export interface RecognisedText {
  readonly text: string
  /** Mean probability of the characters that were kept, 0 .. 1; 0 for an empty text. */
  readonly confidence: number
}

export interface CtcAlphabet {
  /** By class, blank included. */
  readonly characters: readonly string[]
  readonly blank: number
}

/** The best class of every step and its probability. */
interface BestPath {
  readonly classes: ArrayLike<number>
  readonly probabilities: ArrayLike<number>
}

/**
 * Greedy CTC decoding (Graves et al., 2006, section 3.2): the best class of every step, repeats joined, blanks dropped.
 *
 * Takes either the scores of all classes, [1, steps, classes], [steps, 1, classes] or [steps, classes], probabilities or
 * logits; or, of a model that ends in ArgMax and ReduceMax, the classes (integers) and their probabilities (floats),
 * [1, steps].
 * @throws UserError when the outputs are neither, or have other classes than the dictionary
 */
export const ctcText = (outputs: readonly Tensor[], { characters, blank }: CtcAlphabet): RecognisedText => {
  const { classes, probabilities } = bestPath(outputs, characters.length)
  let text = ''
  let sum = 0
  let kept = 0
  let last = blank
  for (let step = 0; step < classes.length; step++) {
    const best = classes[step]!
    if (best !== last && best !== blank) {
      const character = characters[best]
      if (character === undefined) throw new UserError(`class ${best} is not in the dictionary of ${characters.length}`)
      text += character
      sum += probabilities[step]!
      kept++
    }
    last = best
  }
  return { text, confidence: kept === 0 ? 0 : sum / kept }
}

const isInteger = (tensor: Tensor): boolean => /^u?int/.test(tensor.type)
const isFloat = (tensor: Tensor): boolean => tensor.type.startsWith('float')

const bestPath = (outputs: readonly Tensor[], classes: number): BestPath => {
  const indices = outputs.filter(isInteger)
  const floats = outputs.filter(isFloat)
  if (indices.length === 1 && floats.length === 1) return reduced(indices[0]!, floats[0]!)
  if (indices.length === 0 && floats.length === 1) return best(floats[0]!, classes)
  const given = outputs.map(({ name, type, dims }) => `${name} ${type}[${dims.join(', ')}]`).join('; ')
  throw new UserError(
    `output kind ctc takes one output of scores, or one of classes (integers) and one of probabilities (floats); the model gives: ${given}`
  )
}

const reduced = (indices: Tensor, probabilities: Tensor): BestPath => {
  const path = { classes: numbersOf(indices), probabilities: numbersOf(probabilities) }
  if (path.classes.length === path.probabilities.length) return path
  throw new UserError(
    `output kind ctc: "${indices.name}" has ${path.classes.length} steps and "${probabilities.name}" ${path.probabilities.length}`
  )
}

const best = (scores: Tensor, classes: number): BestPath => {
  const { name, dims } = scores
  if (dims.at(-1) !== classes || dims.filter(dim => dim !== 1).length > 2) {
    throw new UserError(
      `output kind ctc: "${name}" is [${dims.join(', ')}] and the dictionary has ${classes} classes (blank and space included); its last dimension must be that, for one item at a time`
    )
  }
  const values = numbersOf(scores)
  const steps = values.length / classes
  const path = { classes: new Int32Array(steps), probabilities: new Float64Array(steps) }
  for (let step = 0; step < steps; step++) {
    const { index, probability } = bestOf(values, step * classes, classes)
    path.classes[step] = index
    path.probabilities[step] = probability
  }
  return path
}

const bestOf = (values: ArrayLike<number>, from: number, count: number) => {
  let index = 0
  let low = values[from]!
  let sum = 0
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!
    if (value > values[from + index]!) index = i
    if (value < low) low = value
    sum += value
  }
  const top = values[from + index]!
  if (low >= 0 && Math.abs(sum - 1) < 0.02) return { index, probability: top } // probabilities already
  let exponentials = 0
  for (let i = 0; i < count; i++) exponentials += Math.exp(values[from + i]! - top)
  return { index, probability: 1 / exponentials }
}
