import { nearest } from '../../core/nearest.ts'
import { elementCount, type Tensor, type TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import type { FileItem } from './file-item.ts'
import { type FilePath, withEnding } from './file-path.ts'
import { fileSafe } from './file-safe.ts'
import { describeInput, fitTensor } from './fit-tensor.ts'
import type { ImagePlace } from './image-place.ts'
import type { IoSpec, OtherInput } from './io-spec.ts'
import { readNpyInput } from './npy-inputs.ts'
import { bytesOf } from './tensor-numbers.ts'

/** What fills the inputs that the item itself does not. */
export interface OtherInputs {
  /** They are not among these. */
  readonly own: readonly TensorSpec[]
  /** What their files end in: ITEM.INPUT.npy. */
  readonly suffixes: readonly string[]
  paths(item: FileItem): readonly FilePath[]
  /** @throws ItemUnavailable when a file is missing, UserError when it is not what the model takes */
  read(item: FileItem, place: ImagePlace | undefined): Promise<readonly Tensor[]>
}

/** @throws UserError for one that the model does not have, or that cannot be what is said of it */
export const otherInputs = (spec: IoSpec, inputs: readonly TensorSpec[]): OtherInputs => {
  checkNames(spec, inputs)
  const others = inputs.filter(({ name }) => Object.hasOwn(spec.inputs, name))
  const own = inputs.filter(input => !others.includes(input))
  if (spec.input.kind === 'image' && own.length > 1)
    throw new UserError(
      `${spec.origin}: an image fills one input and the model has ${own.length} (${own.map(({ name }) => name).join(', ')}); say under inputs what fills the others, or use preset raw with .npy files`
    )
  const files = others.filter(({ name }) => spec.inputs[name]!.kind === 'npy')
  const suffixes = fileSafe(files.map(({ name }) => name)).map(name => `.${name}.npy`)
  const ending = new Map(files.map((input, i) => [input, suffixes[i]!]))
  const made = others.flatMap(input => maker(spec, input, spec.inputs[input.name]!) ?? [])
  return {
    own,
    suffixes,
    paths: item => suffixes.map(suffix => withEnding(item.path, suffix)),
    read: async (item, place) => [
      ...(await Promise.all(files.map(input => readNpyInput(withEnding(item.path, ending.get(input)!), input)))),
      ...made.map(make => make(place))
    ]
  }
}

const checkNames = ({ origin, inputs }: IoSpec, known: readonly TensorSpec[]): void => {
  const names = known.map(({ name }) => name)
  for (const name of Object.keys(inputs)) {
    if (names.includes(name)) continue
    const near = nearest(name, names)
    throw new UserError(
      `${origin}: inputs: the model has no input "${name}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${names.join(', ')})`
    )
  }
}

type Make = (place: ImagePlace | undefined) => Tensor

/** @returns undefined for one that is a file */
const maker = (spec: IoSpec, input: TensorSpec, other: OtherInput): Make | undefined => {
  if (other.kind === 'npy') return undefined
  const where = `${spec.origin}: inputs.${input.name}`
  if (other.kind === 'constant') {
    const { data, ...rest } = constant(where, input, other.value)
    return () => ({ ...rest, data: data.slice() }) // what is read is given away
  }
  if (spec.input.kind !== 'image')
    throw new UserError(`${where}: is the size of an image, and the items are none; use kind: constant or npy`)
  const { of, order } = other
  sized(where, input, [1, 1])
  return place => {
    const { width, height } = of === 'image' ? place!.image : place!.fitting.canvas
    return sized(where, input, order === 'height,width' ? [height, width] : [width, height])
  }
}

/** Dimensions that are not fixed are 1. */
const dimsOf = ({ shape }: TensorSpec): number[] => shape.map(dim => (typeof dim === 'number' ? dim : 1))

const sized = (where: string, input: TensorSpec, pair: readonly [number, number]): Tensor => {
  const { name, shape } = input
  const last = shape.at(-1)
  const dims = shape.length === 0 || typeof last === 'number' ? dimsOf(input) : [...dimsOf(input).slice(0, -1), 2]
  if (shape.length > 0 && elementCount(dims) !== 2)
    throw new UserError(`${where}: a size is 2 numbers and the model wants ${describeInput(input)}`)
  return { name, ...typed(where, input, pair), dims: shape.length === 0 ? [1, 2] : dims }
}

const constant = (
  where: string,
  input: TensorSpec,
  value: Extract<OtherInput, { kind: 'constant' }>['value']
): Tensor => {
  if (typeof value === 'number') {
    const dims = dimsOf(input)
    return { name: input.name, ...typed(where, input, Array(elementCount(dims)).fill(value)), dims }
  }
  const dims: number[] = []
  for (let at: unknown = value; Array.isArray(at); at = at[0]) dims.push(at.length)
  const numbers = (value as unknown[]).flat(Number.POSITIVE_INFINITY) as number[]
  if (numbers.length !== elementCount(dims)) throw new UserError(`${where}: value: its lists differ in length`)
  try {
    return fitTensor({ ...typed(where, input, numbers), dims }, input)
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${where}: value: ${error.message}`)
    throw error
  }
}

const typed = (where: string, { type }: TensorSpec, numbers: readonly number[]): Pick<Tensor, 'type' | 'data'> => {
  if (type === 'string') throw new UserError(`${where}: the model wants strings there; give them as npy files`)
  return { type, data: bytesOf(type, numbers) }
}
