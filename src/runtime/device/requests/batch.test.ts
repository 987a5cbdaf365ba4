import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ModelManifest } from '../../../core/manifest.ts'
import type { Tensor, TensorSpec } from '../../../core/tensor.ts'
import { encodeStrings } from '../../engine/string-elements.ts'
import { batchOf, joinBatch, splitBatch } from './batch.ts'

const floats = (name: string, rows: number, each: number): Tensor => ({
  name,
  type: 'float32',
  dims: [rows, each],
  data: new Uint8Array(Float32Array.from({ length: rows * each }, (_, i) => i + 0.5).buffer)
})
const texts = (name: string, rows: number, each: number): Tensor => ({
  name,
  type: 'string',
  dims: [rows, each],
  data: encodeStrings(Array.from({ length: rows * each }, (_, i) => 'ü'.repeat(i % 5)))
})

test('what is split and joined is what it was, whatever the batch and however it was cut', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 4 }),
      (size, each, width) => {
        const whole = [floats('x', size, width), texts('t', size, width)]
        const parts = splitBatch(whole, size, each)
        expect(parts).toHaveLength(Math.ceil(size / each))
        for (const part of parts)
          expect(part.map(({ dims }) => dims)).toEqual([
            [each, width],
            [each, width]
          ])
        const joined = joinBatch(parts, size, each)
        expect(joined.map(({ data, ...rest }) => ({ ...rest, data: [...data] }))).toEqual(
          whole.map(({ data, ...rest }) => ({ ...rest, data: [...data] }))
        )
      }
    )
  )
})

test('outputs that are no batch are said to be none', () => {
  const [one, two] = [floats('y', 1, 2), floats('y', 2, 2)]
  expect(() => joinBatch([[one], [two]], 2, 1)).toThrow(/output "y" is \[2,2\] and not a batch of 1/)
})

const spec = (name: string, shape: TensorSpec['shape']): TensorSpec => ({ name, type: 'float32', shape })
const cutFor = (
  declared: TensorSpec['shape'],
  output: TensorSpec['shape'],
  cut: readonly number[]
): number | undefined =>
  batchOf({
    ...{ inputs: [spec('x', declared)], outputs: ['y'], outputSpecs: [spec('y', output)] },
    activations: [{ tensors: [spec('x', cut)] }, { tensors: [spec('y', cut)] }]
  } as unknown as ModelManifest)

test('a model takes batches where the first dimension of all inputs and outputs is open', () => {
  expect(cutFor(['N', 4], ['N', 2], [1, 4])).toBe(1)
  expect(cutFor([null, 4], ['M', 2], [8, 4])).toBe(8)
  expect(cutFor([1, 4], ['N', 2], [1, 4])).toBeUndefined()
  expect(cutFor(['N', 4], [2], [1, 4])).toBeUndefined()
  expect(cutFor([], ['N'], [1])).toBeUndefined()
})
