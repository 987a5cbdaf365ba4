import { expect, test } from 'vitest'
import { describeWeightChoice, parseWeightChoice, weightFormatOf } from './weight-choice.ts'

test('a format, of all blocks or of some', () => {
  expect(parseWeightChoice('fp16')).toEqual({ format: 'fp16' })
  const some = parseWeightChoice('int8@5,0-2,1')
  expect(some).toEqual({ format: 'int8', blocks: [0, 1, 2, 5] })
  expect([0, 3, 5].map(k => weightFormatOf(some, k))).toEqual(['int8', undefined, 'int8'])
  expect(parseWeightChoice(describeWeightChoice(some))).toEqual(some)
})

test.each(['int4', 'fp16@', 'int8@2-1', 'int8@x', 'int8@0-99999', ''])('refuses %j', text => {
  expect(() => parseWeightChoice(text)).toThrow(RangeError)
})
