import { expect, test } from 'vitest'
import { countingModel } from '../../testing/lone-device.ts'
import { rawRequest } from './raw-request.ts'

/** A model of one input, cut for these dims. */
const model = (shape: readonly (number | string | null)[], cut: readonly number[]) => {
  const { activations, ...rest } = countingModel('net', 1)
  const [first, ...others] = activations
  const input = { name: 'x', type: 'float32' as const }
  return {
    ...{ ...rest, inputs: [{ ...input, shape }] },
    activations: [{ ...first!, tensors: [{ ...input, shape: cut }] }, ...others]
  }
}
const shapeOf = (...[shape, cut, elements]: [...Parameters<typeof model>, number]): readonly number[] =>
  rawRequest(model(shape, cut), new Uint8Array(4 * elements)).inputs[0]!.shape

test('one dimension that is open is as long as the bytes last, whatever the model was cut for', () => {
  expect(shapeOf(['N', 4], [1, 4], 12)).toEqual([3, 4])
  expect(shapeOf([1, null], [1, 8], 5)).toEqual([1, 5])
})

test('of several those behind the first are as the model was cut for', () => {
  expect(shapeOf(['N', 3, 'H', 'W'], [1, 3, 2, 4], 24)).toEqual([1, 3, 2, 4])
  expect(shapeOf(['N', 3, 'H', 'W'], [1, 3, 2, 4], 48)).toEqual([2, 3, 2, 4])
  expect(() => shapeOf(['N', 3, 'H', 'W'], [1, 3, 2, 4], 25)).toThrow(/100 bytes is no tensor of shape \[-1,3,2,4\]/)
})
