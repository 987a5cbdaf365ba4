import { expect, test } from 'vitest'
import { parseShapes } from './parse-shapes.ts'

test('a shape for each input, of dimensions of at least 1', () => {
  expect([...parseShapes(['x=1x3x48x320', 'mask=7'])]).toEqual([
    ['x', [1, 3, 48, 320]],
    ['mask', [7]]
  ])
  expect(() => parseShapes(['x=1x3x48x0'])).toThrow('--shape "x=1x3x48x0": dimensions are at least 1')
  expect(() => parseShapes(['x:1x3'])).toThrow(/is not INPUT=DIMS/)
  expect(() => parseShapes(['x=99999x99999'])).toThrow(/at most/)
})
