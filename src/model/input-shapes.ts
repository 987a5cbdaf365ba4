import type { ValueInfoProto } from 'onnx-buf'
import type { Dimension } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import { declaredDims } from './tensor-type.ts'

/** A shape for each input that has dynamic dimensions; of no dimensions for a scalar. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

/** An input as its model declares it; `shape` is undefined where not even the rank is declared. */
export interface DeclaredInput {
  readonly name: string
  readonly shape: readonly Dimension[] | undefined
}

/** What can be made, and counted exactly, of one tensor. */
const MAX_ELEMENTS = 2 ** 40

/** @returns as the model declares them, all inputs that a graph lists */
export const declaredShapes = (inputs: readonly ValueInfoProto[]): readonly DeclaredInput[] =>
  inputs.map(({ name, type }) => ({ name, shape: type === undefined ? undefined : declaredDims(type) }))

/**
 * Every dimension of every input a number: declared, given, known from a given input whose dimension has the same name,
 * or, for a leading one alone, a batch of one, which then is known of the others of its name too.
 * @throws UserError `badShape` that shows the shape to give, `noSuchInput`
 */
export const concreteInputs = (
  { file, inputs }: Pick<GraphAnalysis, 'file' | 'inputs'>,
  given: InputShapes
): InputShapes => {
  const isInput = new Set(inputs)
  const declared = declaredShapes(file.graph.input).filter(({ name }) => isInput.has(name))
  for (const name of given.keys()) {
    if (!isInput.has(name))
      throw new UserError(`${file.path} has no input "${name}"; its inputs: ${inputs.join(', ') || 'none'}`, {
        code: 'noSuchInput',
        facts: { input: name, inputs }
      })
  }
  return new Map(withDefaults(file.path, declared, given).map(input => [input.name, settle(file.path, input)]))
}

/**
 * The inputs with what the given shapes say of them: their own, or of a dimension that another input has under the same
 * name. The rest is left as declared.
 * @param of the model, for messages
 * @throws UserError where a given shape does not fit the declared one, or two given ones contradict each other
 */
export const withGiven = (
  of: string,
  declared: readonly DeclaredInput[],
  given: InputShapes
): readonly DeclaredInput[] => withKnown(declared, given, whatIsGiven(of, declared, given))

/** The same, and a batch of one where nothing but a leading dimension is left open. */
export const withDefaults = (
  of: string,
  declared: readonly DeclaredInput[],
  given: InputShapes
): readonly DeclaredInput[] => {
  const known = whatIsGiven(of, declared, given)
  const batches = new Map(given)
  for (;;) {
    const inputs = withKnown(declared, batches, known)
    const next = inputs.find(({ shape }) => shape !== undefined && isBatch(shape))
    if (next === undefined) return inputs
    const [first, ...rest] = next.shape as readonly [Dimension, ...number[]]
    batches.set(next.name, [1, ...rest])
    if (typeof first === 'string' && isName(first)) known.set(first, 1)
  }
}

const isBatch = ([first, ...rest]: readonly Dimension[]): boolean =>
  first !== undefined && typeof first !== 'number' && rest.every(d => typeof d === 'number')

/** Named dimensions of which the given shapes say something. */
const whatIsGiven = (of: string, declared: readonly DeclaredInput[], given: InputShapes): Map<string, number> => {
  const known = new Map<string, number>()
  for (const input of declared) {
    const dims = given.get(input.name)
    if (dims !== undefined) learn(of, input, dims, known)
  }
  return known
}

const withKnown = (
  declared: readonly DeclaredInput[],
  given: InputShapes,
  known: ReadonlyMap<string, number>
): readonly DeclaredInput[] =>
  declared.map(({ name, shape }) => ({
    name,
    shape: given.get(name) ?? shape?.map(d => (typeof d === 'string' && isName(d) ? (known.get(d) ?? d) : d))
  }))

/** What exporters write where they know no name means nothing, also when it stands in two places. */
const isName = (dim: string): boolean => !/^\s*(|\?+|[-+]?\d+|none|null|nan|unk(nown)?)\s*$/i.test(dim)

const text = (shape: readonly Dimension[]): string => `[${shape.map(d => d ?? '?').join(', ')}]`

/** As users write it: 1x3x48x320. */
export const writtenShape = (dims: readonly number[]): string => (dims.length === 0 ? 'scalar' : dims.join('x'))

/** Check a given shape against the declared one, and note what it says of named dimensions. */
const learn = (
  of: string,
  { name, shape }: DeclaredInput,
  dims: readonly number[],
  known: Map<string, number>
): void => {
  // ONNX Runtime takes any shape where a scalar is declared.
  if (shape === undefined || shape.length === 0) return
  const fits = shape.length === dims.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i])
  if (!fits) throw badShape(name, `shape ${name}=${writtenShape(dims)} does not fit: ${of} declares ${text(shape)}`)
  for (const [i, d] of shape.entries()) {
    if (typeof d !== 'string' || !isName(d)) continue
    const other = known.get(d)
    if (other !== undefined && other !== dims[i])
      throw badShape(name, `shape ${name}=${dims.join('x')} makes dimension "${d}" ${dims[i]}, another shape ${other}`)
    known.set(d, dims[i]!)
  }
}

const settle = (path: string, { name, shape }: DeclaredInput): readonly number[] => {
  if (shape === undefined) {
    throw badShape(
      name,
      `${path}: input "${name}" declares no shape; give one, for example with shape ${name}=1x3x224x224 or shape ${name}=scalar`
    )
  }
  if (shape.every(d => typeof d === 'number')) return checked(path, name, shape)
  const example = shape
    .map((d, i) => (typeof d === 'number' ? d : i === 0 ? 1 : shape.length === 4 ? 224 : 16))
    .join('x')
  throw badShape(
    name,
    `${path}: input "${name}" has the dynamic shape ${text(shape)}; fix it, for example with shape ${name}=${example}`
  )
}

const checked = (path: string, name: string, dims: readonly number[]): readonly number[] => {
  if (dims.reduce((a, b) => a * b, 1) <= MAX_ELEMENTS) return dims
  throw new UserError(
    `${path}: input "${name}" declares [${dims.join(', ')}], more than ${MAX_ELEMENTS} elements, which nothing can feed; export it with a dynamic dimension`
  )
}

/** A shape that is missing, or that was given and is none. */
const badShape = (input: string, words: string): UserError =>
  new UserError(words, { code: 'badShape', facts: { input } })
