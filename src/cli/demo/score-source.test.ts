import { expect, test } from 'vitest'
import type { SinkLine } from './read-sink.ts'
import { scoreSource } from './score-source.ts'

const expected = new Map([
  ['a.png', 'EXIT'],
  ['b.png', 'Lot 12'],
  ['c.png', '$4.99'],
  ['d.png', 'Bay 7']
])
const line = (item: string, text: string, inferenceTime = 1): SinkLine => ({
  item,
  result: { text, confidence: 1 },
  inferenceTime
})

test('right, wrong, lost and twice are told apart', () => {
  const lines = [
    line('a.png', 'EXIT', 2),
    line('b.png', 'Lot12', 4),
    line('a.png', 'EXIT', 9),
    line('d.png', 'Bay 7', 6)
  ]
  expect(scoreSource('porch', expected, lines)).toEqual({
    name: 'porch',
    images: 4,
    correct: 2,
    wrong: 1,
    lost: 1,
    duplicates: 1,
    inferenceTime: { mean: 4, p50: 4, p95: 6, p99: 6 }
  })
})

test('an empty sink has lost everything', () => {
  expect(scoreSource('porch', expected, [])).toMatchObject({ images: 4, correct: 0, wrong: 0, lost: 4, duplicates: 0 })
})

test('a second, different text does not mend the first', () => {
  const lines = [line('a.png', 'EX1T'), line('a.png', 'EXIT')]
  expect(scoreSource('porch', expected, lines)).toMatchObject({ correct: 0, wrong: 1, duplicates: 1 })
})
