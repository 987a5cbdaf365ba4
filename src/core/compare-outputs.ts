import { fromHalf } from './float16.ts'
import { ELEMENT_TYPES, type ElementType, type Tensor, TYPED_ARRAYS } from './tensor.ts'

type Numbers = { readonly length: number; readonly [index: number]: number }

export interface Difference {
  readonly maxAbsDiff: number
  /** Against the largest absolute value of the same output. */
  readonly maxRelDiff: number
}

/** One output of two runs. */
export interface OutputDifference {
  readonly name: string
  readonly type: ElementType
  /** The largest of any element. */
  readonly difference: number
  /** The largest finite magnitude that was expected; 0 for strings. */
  readonly magnitude: number
}

/**
 * The largest difference between two runs of one model, for each output. Values that are equal, two NaN, or the same infinity do not
 * differ; anything else that is not finite, another shape or another type differs infinitely; so do other strings.
 */
export const outputDifferences = (expected: readonly Tensor[], actual: readonly Tensor[]): OutputDifference[] => {
  const found = new Map(actual.map(tensor => [tensor.name, tensor]))
  return expected.map(tensor => {
    const other = found.get(tensor.name)
    const difference = other === undefined ? Number.POSITIVE_INFINITY : tensorDifference(tensor, other)
    return { name: tensor.name, type: tensor.type, difference, magnitude: magnitudeOf(tensor) }
  })
}

/** The largest of all outputs. */
export const compareOutputs = (expected: readonly Tensor[], actual: readonly Tensor[]): Difference =>
  largestDifference(outputDifferences(expected, actual))

export const largestDifference = (outputs: readonly OutputDifference[]): Difference => ({
  maxAbsDiff: outputs.reduce((max, { difference }) => Math.max(max, difference), 0),
  maxRelDiff: outputs.reduce(
    (max, { difference, magnitude }) => Math.max(max, difference && difference / (magnitude || 1)),
    0
  )
})

/** The largest finite absolute value; 0 for strings. */
export const magnitudeOf = (tensor: Tensor): number => {
  let largest = 0
  if (tensor.type === 'string') return largest
  const elements = numbers(tensor)
  for (let i = 0; i < elements.length; i++) {
    const size = Math.abs(elements[i]!)
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size
  }
  return largest
}

/** Whether each element is a number, and a finite one. */
export const isFiniteTensor = (tensor: Tensor): boolean => {
  if (tensor.type === 'string') return false
  const elements = numbers(tensor)
  for (let i = 0; i < elements.length; i++) if (!Number.isFinite(elements[i])) return false
  return true
}

const tensorDifference = (a: Tensor, b: Tensor): number => {
  if (a.type !== b.type || a.dims.join() !== b.dims.join() || a.data.length !== b.data.length)
    return Number.POSITIVE_INFINITY
  if (a.type === 'string') return a.data.every((byte, i) => byte === b.data[i]) ? 0 : Number.POSITIVE_INFINITY
  const x = numbers(a)
  const y = numbers(b)
  let largest = 0
  for (let i = 0; i < x.length; i++) {
    const [one, other] = [x[i]!, y[i]!]
    if (one === other || (Number.isNaN(one) && Number.isNaN(other))) continue
    largest = Math.max(largest, finite(Math.abs(one - other)))
  }
  return largest
}

const finite = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x)

/** 64-bit integers beyond 2^53 lose their last bits. */
const numbers = ({ type, data }: Tensor): Numbers => {
  if (type === 'string') throw new TypeError('strings are no numbers')
  const { buffer, byteOffset, byteLength } = data.byteOffset % 8 === 0 ? data : data.slice()
  const view = new TYPED_ARRAYS[type](buffer, byteOffset, byteLength / ELEMENT_TYPES[type])
  if (type === 'float16') return Float64Array.from(view as Uint16Array, fromHalf)
  return view instanceof BigInt64Array || view instanceof BigUint64Array ? Float64Array.from(view, Number) : view
}
