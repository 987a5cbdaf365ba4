import { expect, test } from 'vitest'
import type { Tensor } from '../../core/tensor.ts'
import { ctcText } from './ctc-text.ts'
import { bytesOf } from './tensor-numbers.ts'

const alphabet = { characters: ['', 'a', 'b', ' '], blank: 0 }
const tensor = (
  name: string,
  type: 'float32' | 'float16' | 'int64' | 'int32',
  dims: number[],
  values: number[]
): Tensor => ({
  name,
  type,
  dims,
  data: bytesOf(type, values)
})
/** One row a step; the rest of the probability is shared. */
const rows = (path: readonly (readonly [cls: number, p: number])[]): number[] =>
  path.flatMap(([cls, p]) => [0, 1, 2, 3].map(c => (c === cls ? p : (1 - p) / 3)))

const PATH = [
  [1, 0.9],
  [1, 0.8],
  [0, 0.9],
  [1, 0.6],
  [3, 1],
  [2, 0.5]
] as const

test('repeats are joined, blanks dropped, and a blank between two of the same keeps both', () => {
  const { text, confidence } = ctcText([tensor('p', 'float32', [1, 6, 4], rows(PATH))], alphabet)
  expect(text).toBe('aa b')
  expect(confidence).toBeCloseTo((0.9 + 0.6 + 1 + 0.5) / 4, 6)
})

test('classes and probabilities give the same as all scores, of either integer type, in either order', () => {
  const whole = ctcText([tensor('p', 'float32', [1, 6, 4], rows(PATH))], alphabet)
  for (const type of ['int64', 'int32'] as const) {
    const classes = tensor(
      'c',
      type,
      [1, 6],
      PATH.map(([c]) => c)
    )
    const best = tensor(
      's',
      'float32',
      [1, 6],
      PATH.map(([, p]) => p)
    )
    expect(ctcText([classes, best], alphabet)).toEqual(whole)
    expect(ctcText([best, classes], alphabet)).toEqual(whole)
  }
})

test('logits give probabilities by softmax; half precision and [steps, 1, classes] are read', () => {
  const logits = [0, Math.log(7), 0, 0] // softmax: 1/10, 7/10, 1/10, 1/10
  expect(ctcText([tensor('l', 'float32', [1, 1, 4], logits)], alphabet).confidence).toBeCloseTo(0.7, 6)
  expect(ctcText([tensor('p', 'float16', [6, 1, 4], rows(PATH))], alphabet).text).toBe('aa b')
})

test('a blank at the end of the alphabet is a blank too', () => {
  const last = { characters: ['a', 'b', ' ', ''], blank: 3 }
  expect(
    ctcText(
      [
        tensor(
          'p',
          'float32',
          [1, 3, 4],
          rows([
            [3, 1],
            [0, 1],
            [3, 1]
          ])
        )
      ],
      last
    ).text
  ).toBe('a')
})

test('nothing recognised is an empty text without confidence', () => {
  expect(
    ctcText(
      [
        tensor(
          'p',
          'float32',
          [1, 2, 4],
          rows([
            [0, 1],
            [0, 1]
          ])
        )
      ],
      alphabet
    )
  ).toEqual({ text: '', confidence: 0 })
})

test('outputs that are no such thing are refused with what they are', () => {
  const p = tensor(
    'p',
    'float32',
    [1, 2, 4],
    rows([
      [0, 1],
      [1, 1]
    ])
  )
  expect(() => ctcText([p, p], alphabet)).toThrow('the model gives: p float32[1, 2, 4]; p float32[1, 2, 4]')
  expect(() => ctcText([], alphabet)).toThrow('takes one output of scores')
  expect(() => ctcText([p], { characters: ['', 'a'], blank: 0 })).toThrow('the dictionary has 2 classes')
  expect(() => ctcText([tensor('p', 'float32', [2, 2, 4], rows([...PATH.slice(0, 4)]))], alphabet)).toThrow(
    'one item at a time'
  )
  const [c, s] = [tensor('c', 'int64', [1, 2], [9, 9]), tensor('s', 'float32', [1, 2], [1, 1])]
  expect(() => ctcText([c, s], alphabet)).toThrow('class 9 is not in the dictionary of 4')
  expect(() => ctcText([c, tensor('s', 'float32', [1, 1], [1])], alphabet)).toThrow('"c" has 2 steps and "s" 1')
})
