import type { NodeProto } from 'onnx-buf'
import { bodiesOf } from './bodies-of.ts'
import type { StudiedModel } from './cut-model.ts'
import { isDefaultDomain } from './onnx-file.ts'

/** Operators that hand numbers on as they are, or to others without rounding; from their first input unless told. */
const EXACT = new Set([
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Tile', 'Slice', 'Split', 'Pad'],
  ...['Gather', 'GatherElements', 'GatherND', 'Compress', 'DepthToSpace', 'SpaceToDepth', 'ReverseSequence', 'Trilu'],
  ...[
    'Relu',
    'Abs',
    'Neg',
    'Sign',
    'Clip',
    'Floor',
    'Ceil',
    'Round',
    'MaxPool',
    'GlobalMaxPool',
    'ReduceMax',
    'ReduceMin'
  ],
  ...['Concat', 'Max', 'Min', 'Where', 'TopK', 'Dropout']
])
/** Of these all inputs are numbers that may come out. */
const ALL_INPUTS = new Set(['Concat', 'Max', 'Min', 'Add', 'Sub', 'Mul', 'Div', 'Mod', 'Sum'])

/** Operators that make integers of floats: each value the nearest, or the next below. */
const QUANTISERS = new Set(['Cast', 'CastLike', 'QuantizeLinear', 'DynamicQuantizeLinear'])

/** Operators whose integers are places, counts and answers to questions: a number near another tells nothing of them. */
const ANSWERS = new Set([
  ...[
    'ArgMax',
    'ArgMin',
    'NonMaxSuppression',
    'NonZero',
    'Shape',
    'Size',
    'Unique',
    'OneHot',
    'Hardmax',
    'Multinomial'
  ],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'IsNaN', 'IsInf', 'And', 'Or', 'Not', 'Xor', 'Range']
])

/**
 * By how many steps an integer may be off because it was made of floats that are rounded otherwise: one for each that is
 * summed. 0 for what is no rounded number: indices, lookups, comparisons, sums of integers that were fed.
 * @returns for a tensor of integers
 */
export const stepsFromFloats = (model: StudiedModel, name: string): number => new Backward(model).steps(name)

class Backward {
  readonly #facts: StudiedModel['facts']
  readonly #writers = new Map<string, NodeProto>()
  readonly #steps = new Map<string, number>()
  readonly #rounded = new Map<string, boolean>()

  constructor({ analysis, facts }: StudiedModel) {
    this.#facts = facts
    for (const { node } of analysis.layers) this.#note(node)
  }

  /** In bodies too, whose names are their own. */
  #note(node: NodeProto): void {
    for (const name of node.output) if (name !== '') this.#writers.set(name, node)
    for (const body of bodiesOf(node)) for (const inner of body.node) this.#note(inner)
  }

  steps(name: string): number {
    const known = this.#steps.get(name)
    if (known !== undefined) return known
    this.#steps.set(name, 0)
    const found = this.#stepsOf(name)
    this.#steps.set(name, found)
    return found
  }

  #stepsOf(name: string): number {
    const node = this.#writers.get(name)
    if (node === undefined) return 0
    const { opType } = node
    if (isDefaultDomain(node.domain)) {
      if (ANSWERS.has(opType) || (opType === 'TopK' && name === node.output[1])) return 0
      if (opType === 'MaxPool' && name === node.output[1]) return 0
      if (QUANTISERS.has(opType) && !this.#isInteger(node.input[0])) return this.#isRounded(node.input[0]) ? 1 : 0
      if (/^QLinear/.test(opType)) return 1
    } else if (/^QLinear|^Quantize|^QGemm/.test(opType)) return 1
    const of = (insideOf(node, name) ?? valuesOf(node))
      .filter(input => !this.#isFloat(input))
      .map(input => this.steps(input))
    return opType === 'Add' || opType === 'Sub' || opType === 'Sum' ? sum(of) : Math.max(0, ...of)
  }

  /** A float that comes of arithmetic, whose last places depend on the order of its steps. */
  #isRounded(name: string | undefined): boolean {
    const node = this.#writers.get(name ?? '')
    if (name === undefined || node === undefined) return false
    const known = this.#rounded.get(name)
    if (known !== undefined) return known
    const { opType, domain } = node
    const found =
      !isDefaultDomain(domain) || !(EXACT.has(opType) || QUANTISERS.has(opType) || ANSWERS.has(opType))
        ? true
        : !ANSWERS.has(opType) &&
          valuesOf(node).some(input => (this.#isInteger(input) ? this.steps(input) > 0 : this.#isRounded(input)))
    this.#rounded.set(name, found)
    return found
  }

  /** Inside of bodies types are not known. */
  #isFloat(name: string): boolean {
    return /^b?float/.test(this.#facts.of(name).type ?? '')
  }

  #isInteger(name: string | undefined): boolean {
    return /^u?int|^bool/.test(this.#facts.of(name ?? '').type ?? '')
  }
}

/** What the bodies of an If, Loop or Scan call this output of theirs; undefined for other nodes. */
const insideOf = (node: NodeProto, output: string): readonly string[] | undefined => {
  const bodies = bodiesOf(node)
  if (bodies.length === 0) return undefined
  const index = node.output.indexOf(output) + (node.opType === 'Loop' ? 1 : 0) // its first is the condition
  return bodies.flatMap(body => body.output[index]?.name ?? [])
}

/** The inputs whose numbers come out, not those that say how. */
const valuesOf = ({ opType, input }: NodeProto): readonly string[] => {
  const all = ALL_INPUTS.has(opType) ? input : opType === 'Where' ? input.slice(1) : input.slice(0, 1)
  return all.filter(name => name !== '')
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
