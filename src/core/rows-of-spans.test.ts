import { expect, test } from 'vitest'
import { rowsOfSpans } from './rows-of-spans.ts'

const span = (owner: string, start: number, end: number) => ({ owner, start, end })

test('what overlaps has rows of its own, what follows has the first that is free', () => {
  const spans = [
    span('a', 2, 4),
    span('a', 0, 2 + 1e-12),
    span('a', 1, 3),
    span('b', 1, 2),
    span('a', 3.5, 5),
    span('a', 1, 1.5)
  ]
  expect(rowsOfSpans(spans, ({ owner }) => owner)).toEqual([0, 0, 1, 0, 1, 2])
})

test('what was run as one has one row', () => {
  const spans = [span('a', 0, 1), span('a', 0, 1), span('a', 0, 2)]
  expect(rowsOfSpans(spans, ({ owner }) => owner)).toEqual([0, 0, 1])
})
