import type { ValueInfoProto } from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import type { GraphAnalysis } from './graph-analysis.ts'

/** A shape for each input that has dynamic dimensions. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

/** A number, the name of a dynamic dimension, or empty when it has none; undefined when the rank is not declared. */
type Declared = readonly (number | string)[] | undefined

/**
 * Every dimension of every input a number: declared, given, known from a given input whose dimension has the same name,
 * or, for a leading one alone, a batch of one.
 * @throws UserError that shows the flag to add
 */
export const concreteInputs = ({ file, inputs }: GraphAnalysis, given: InputShapes): InputShapes => {
  const declared = new Map(file.graph.input.map(info => [info.name, declaredShape(info)]))
  for (const name of given.keys()) {
    if (!inputs.includes(name))
      throw new UserError(
        `--shape ${name}: ${file.path} has no input "${name}"; its inputs: ${inputs.join(', ') || 'none'}`
      )
  }
  const known = new Map<string, number>()
  for (const [name, dims] of given) learn(file.path, name, declared.get(name), dims, known)
  return new Map(inputs.map(name => [name, given.get(name) ?? settle(file.path, name, declared.get(name), known)]))
}

/** As the model declares it. */
export const declaredShape = ({ type }: ValueInfoProto): Declared => {
  if (type?.value.case !== 'tensorType') return [] // a sequence has no shape, and is never fed
  return type.value.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? '')
  )
}

const text = (shape: readonly (number | string)[]): string => `[${shape.map(d => (d === '' ? '?' : d)).join(', ')}]`

/** Check a given shape against the declared one, and note what it says of named dimensions. */
const learn = (
  path: string,
  name: string,
  shape: Declared,
  dims: readonly number[],
  known: Map<string, number>
): void => {
  if (shape === undefined) return
  const fits = shape.length === dims.length && shape.every((d, i) => typeof d === 'string' || d < 0 || d === dims[i])
  if (!fits) throw new UserError(`--shape ${name}=${dims.join('x')} does not fit: ${path} declares ${text(shape)}`)
  for (const [i, d] of shape.entries()) {
    if (typeof d !== 'string' || d === '') continue
    const other = known.get(d)
    if (other !== undefined && other !== dims[i])
      throw new UserError(
        `--shape ${name}=${dims.join('x')} makes dimension "${d}" ${dims[i]}, another --shape ${other}`
      )
    known.set(d, dims[i]!)
  }
}

const settle = (path: string, name: string, shape: Declared, known: ReadonlyMap<string, number>): readonly number[] => {
  if (shape === undefined) {
    throw new UserError(
      `${path}: input "${name}" declares no shape; give one, for example with --shape ${name}=1x3x224x224`
    )
  }
  const dims = shape.map(d => (typeof d === 'string' ? known.get(d) : d < 0 ? undefined : d))
  const open = dims.flatMap((d, i) => (d === undefined ? [i] : []))
  if (open.every(i => i === 0)) return dims.map(d => d ?? 1)
  const example = dims.map((d, i) => d ?? (i === 0 ? 1 : shape.length === 4 ? 224 : 16)).join('x')
  throw new UserError(
    `${path}: input "${name}" has the dynamic shape ${text(shape)}; fix it, for example with --shape ${name}=${example}`
  )
}
