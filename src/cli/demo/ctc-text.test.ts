import { expect, test } from 'vitest'
import { ctcText } from './ctc-text.ts'

const characters = ['', 'a', 'b', ' ']
/** One row of scores for each class that is meant to win. */
const scores = (winners: readonly number[]): Float32Array =>
  Float32Array.from(winners.flatMap(winner => characters.map((_, k) => (k === winner ? 0.9 : 0.03))))

test('repeats join, a blank between equal letters keeps both, blanks vanish', () => {
  expect(ctcText(scores([0, 1, 1, 0, 1, 2, 2, 0]), 4, characters)).toBe('aab')
  expect(ctcText(scores([1, 3, 2]), 4, characters)).toBe('a b')
  expect(ctcText(scores([0, 0]), 4, characters)).toBe('')
})
