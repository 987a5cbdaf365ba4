import { expect, test } from 'vitest'
import { parseShapes } from './parse-shapes.ts'

test('a shape for each input: dimensions, none for a scalar, 0 for an empty tensor', () => {
  expect([...parseShapes(['x=1x3x48x320', 'mask=7'])]).toEqual([
    ['x', [1, 3, 48, 320]],
    ['mask', [7]]
  ])
  expect([...parseShapes(['rate=scalar', 'past=1x0x8', 'a=b=2'])]).toEqual([
    ['rate', []],
    ['past', [1, 0, 8]],
    ['a=b', [2]]
  ])
  for (const wrong of ['x=', 'x=-1x3', 'x=1x', 'x=scalarx2', '=3'])
    expect(() => parseShapes([wrong])).toThrow(/is not INPUT=DIMS; write for example .* or x=scalar/)
  expect(() => parseShapes(['x=0x99999x99999'])).toThrow(/at most/)
  expect(() => parseShapes(['x:1x3'])).toThrow(/is not INPUT=DIMS/)
  expect(() => parseShapes(['x=99999x99999'])).toThrow(/at most/)
})
