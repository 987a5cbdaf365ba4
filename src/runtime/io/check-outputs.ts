import type { TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { isBuiltIn } from './detect/coco-labels.ts'
import { DETECTION_FAMILIES } from './detect/detection-families.ts'
import type { IoSpec, OutputSpec } from './io-spec.ts'

/**
 * Whether what the spec says of results can be made of the model's outputs, as far as these are known before any result:
 * their names, types, and the sizes that are fixed. A leading dimension that is not is one item.
 * @throws UserError that names the field, what it says, what the model has, and the remedy
 */
export const checkOutputs = (spec: IoSpec, outputs: readonly TensorSpec[]): void => {
  const { output } = spec
  if (output.kind === 'ctc') checkCtc(spec, output, outputs)
  else if (output.kind === 'topk') checkTopK(spec, output, outputs)
  else if (output.kind === 'detect') checkDetect(spec, output, outputs)
}

const checkDetect = (
  { origin, labels }: IoSpec,
  { family, labels: file }: Extract<OutputSpec, { kind: 'detect' }>,
  outputs: readonly TensorSpec[]
): void => {
  const { classes, takes, mayHave } = DETECTION_FAMILIES[family]
  const count = classes(outputs.map(({ name, shape }) => ({ name, dims: shape })))
  const given = outputs.map(describe).join('; ')
  if (!mayHave(outputs.length) || (count !== undefined && count < 1))
    throw new UserError(`${origin}: output family ${family} takes ${takes}; the model gives ${given}`)
  if (count !== undefined && labels.length > 0 && labels.length !== count && !isBuiltIn(file))
    throw new UserError(
      `${origin}: output.labels ${file} has ${labels.length} labels; the model's ${given} has ${count} classes: name a file with one a line in output.labels`
    )
}

const checkCtc = (
  { origin, characters }: IoSpec,
  { dictionary, space }: Extract<OutputSpec, { kind: 'ctc' }>,
  outputs: readonly TensorSpec[]
): void => {
  const indices = outputs.filter(({ type }) => /^u?int/.test(type))
  const scores = outputs.filter(({ type }) => type.startsWith('float'))
  const [first] = scores
  if (first === undefined || scores.length > 1 || indices.length > 1) {
    throw new UserError(
      `${origin}: output kind ctc takes one output of scores, or one of classes (integers) and one of probabilities (floats); the model gives ${outputs.map(describe).join('; ')}`
    )
  }
  if (indices.length === 1) return
  const { shape } = first
  if (shape.filter((dim, i) => typeof dim === 'number' && dim !== 1 && i < shape.length - 1).length > 1)
    throw new UserError(
      `${origin}: output kind ctc takes one item's steps by classes; the model gives ${describe(first)}`
    )
  const classes = shape.at(-1)
  if (typeof classes !== 'number' || classes === characters.length) return
  const lines = characters.length - 1 - (space ? 1 : 0)
  throw new UserError(
    `${origin}: output.dictionary ${dictionary} has ${lines} lines, with blank${space ? ' and space' : ''} ${characters.length} classes; the model's ${describe(first)} has ${classes}: give the dictionary it was trained with, or check output.space`
  )
}

const checkTopK = (
  { origin, labels }: IoSpec,
  { name, k, labels: file }: Extract<OutputSpec, { kind: 'topk' }>,
  outputs: readonly TensorSpec[]
): void => {
  const chosen = name === undefined ? outputs[0] : outputs.find(output => output.name === name)
  const known = outputs.map(output => output.name).join(', ')
  if (chosen === undefined)
    throw new UserError(`${origin}: output.name "${name}" is not an output of the model (known: ${known})`)
  if (chosen.type === 'string' || chosen.type === 'bool')
    throw new UserError(
      `${origin}: output kind topk ranks numbers; the model's ${describe(chosen)} has none: set output.name or kind: npy`
    )
  const classes = elements(chosen.shape)
  if (classes === undefined) return
  if (labels.length > 0 && labels.length !== classes)
    throw new UserError(
      `${origin}: output.labels ${file} has ${labels.length} labels; the model's ${describe(chosen)} has ${classes} classes: give one a class, or set output.name`
    )
  if (k !== undefined && k > classes)
    throw new UserError(
      `${origin}: output.k ${k} is more than the ${classes} classes of the model's ${describe(chosen)}; at most ${classes}`
    )
}

/** Of one item; undefined where a dimension behind the first is not known. */
const elements = (shape: TensorSpec['shape']): number | undefined =>
  shape.reduce<number | undefined>((product, dim, i) => {
    const size = typeof dim === 'number' ? dim : i === 0 ? 1 : undefined
    return product === undefined || size === undefined ? undefined : product * size
  }, 1)

const describe = ({ name, type, shape }: TensorSpec): string =>
  `output "${name}" ${type}[${shape.map(dim => dim ?? '?').join(', ')}]`
