import { describe, expect, test } from 'vitest'
import type { ElementType, Tensor } from '../../core/tensor.ts'
import { areAlike } from './are-alike.ts'
import { encodeTensor } from './tensor-codec.ts'

const floats = (...values: number[]): Tensor => ({
  ...{ name: 'y', type: 'float32', dims: [values.length] },
  data: new Uint8Array(Float32Array.from(values).buffer)
})
const ints = (type: ElementType, ...values: number[]): Tensor => ({
  ...{ name: 'y', type, dims: [values.length] },
  data: type === 'uint8' ? Uint8Array.from(values) : new Uint8Array(Int32Array.from(values).buffer)
})

describe('alike', () => {
  test.each([
    ['what another processor rounds otherwise', floats(1, -0.5), floats(1.0004, -0.5003)],
    ['NaN and infinities', floats(Number.NaN, Number.POSITIVE_INFINITY), floats(Number.NaN, Number.POSITIVE_INFINITY)],
    ['steps of what is quantised', ints('uint8', 100, 3), ints('uint8', 101, 1)],
    ['the same integers', ints('int32', 2 ** 30, -1), ints('int32', 2 ** 30, -1)]
  ])('%s', (_, a, b) => {
    expect(areAlike([a], [b])).toBe(true)
    expect(areAlike([b], [a])).toBe(true)
  })

  test.each(['fp16', 'int8'] as const)('what travelled as %s, whatever its size', encoding => {
    const own = floats(...Array.from({ length: 512 }, (_, i) => Math.sin(i) * 3 ** (i % 7)))
    const sent = encodeTensor(own, encoding)
    expect(sent.type).toBe('encoded')
    expect(areAlike([sent], [own])).toBe(true)
    if (encoding === 'fp16')
      expect(areAlike([encodeTensor(floats(1e9, -1e9, 1), 'fp16')], [floats(1e9, -1e9, 1)])).toBe(true)
  })
})

describe('not alike', () => {
  test.each([
    ['a hundredth of the largest', floats(1, -0.5), floats(1, -0.51)],
    ['NaN and a number', floats(Number.NaN, 1), floats(1, 1)],
    ['infinities of other signs', floats(Number.POSITIVE_INFINITY), floats(Number.NEGATIVE_INFINITY)],
    ['integers that are off by one', ints('int32', 2 ** 30), ints('int32', 2 ** 30 + 1)],
    ['another shape', floats(1, 1), { ...floats(1, 1), dims: [1, 2] }],
    ['another name', floats(1), { ...floats(1), name: 'z' }],
    ['zeros and noise', floats(0, 0), floats(0, 1e-6)]
  ])('%s', (_, a, b) => {
    expect(areAlike([a], [b])).toBe(false)
    expect(areAlike([b], [a])).toBe(false)
  })

  test.each(['fp16', 'int8'] as const)('what travelled as %s with noise of a fiftieth', encoding => {
    const own = floats(...Array.from({ length: 512 }, (_, i) => Math.sin(i)))
    const noisy = floats(...Array.from({ length: 512 }, (_, i) => Math.sin(i) + 0.02 * Math.cos(7 * i)))
    expect(areAlike([encodeTensor(noisy, encoding)], [own])).toBe(false)
  })
  test('a tensor less', () => expect(areAlike([], [floats(1)])).toBe(false))
})
