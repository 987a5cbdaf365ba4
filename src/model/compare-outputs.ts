import type { ElementType, Tensor } from '../core/tensor.ts'

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
export const magnitudeOf = (tensor: Tensor): number =>
  tensor.type === 'string'
    ? 0
    : numbers(tensor).reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 0)

const tensorDifference = (a: Tensor, b: Tensor): number => {
  if (a.type !== b.type || a.dims.join() !== b.dims.join() || a.data.length !== b.data.length)
    return Number.POSITIVE_INFINITY
  if (Buffer.compare(a.data, b.data) === 0) return 0
  if (a.type === 'string') return Number.POSITIVE_INFINITY
  const y = numbers(b)
  return numbers(a).reduce(
    (max, x, i) => (Object.is(x, y[i]) || x === y[i] ? max : Math.max(max, finite(Math.abs(x - y[i]!)))),
    0
  )
}

const finite = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x)

const numbers = ({ type, data }: Tensor): number[] => {
  const { buffer, byteLength } = data
  switch (type) {
    case 'float32':
      return Array.from(new Float32Array(buffer, 0, byteLength / 4))
    case 'float64':
      return Array.from(new Float64Array(buffer, 0, byteLength / 8))
    case 'float16':
      return Array.from(new Uint16Array(buffer, 0, byteLength / 2), halfToNumber)
    case 'int8':
      return Array.from(new Int8Array(buffer, 0, byteLength))
    case 'int16':
      return Array.from(new Int16Array(buffer, 0, byteLength / 2))
    case 'uint16':
      return Array.from(new Uint16Array(buffer, 0, byteLength / 2))
    case 'int32':
      return Array.from(new Int32Array(buffer, 0, byteLength / 4))
    case 'uint32':
      return Array.from(new Uint32Array(buffer, 0, byteLength / 4))
    case 'int64':
      return Array.from(new BigInt64Array(buffer, 0, byteLength / 8), Number)
    case 'uint64':
      return Array.from(new BigUint64Array(buffer, 0, byteLength / 8), Number)
    default:
      return Array.from(data)
  }
}

/** IEEE 754 binary16. */
const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
