import { expect, test } from 'vitest'
import { shapesFor } from './shapes-for.ts'

const options = {
  shapes: ['ocr:x=1x3x48x320', 'other:x=1x2', 'y:0=4', 'x=7'],
  models: [{ name: 'other', file: 'other.onnx' }]
}

test('a model gets its own shapes and those for all, also where only a source needs it; its own win', () => {
  expect(shapesFor('ocr', options)).toEqual(
    new Map([
      ['x', [1, 3, 48, 320]],
      ['y:0', [4]]
    ])
  )
  expect([...shapesFor('other', options)].find(([name]) => name === 'x')).toEqual(['x', [1, 2]])
})
