import { expect, test } from 'vitest'
import { laneSplits } from './lane-splits.ts'

const shown = (...asked: Parameters<typeof laneSplits>): string[] =>
  laneSplits(...asked).map(({ lanes, threads }) => `${lanes}x${threads}`)

test('what is told is not chosen', () => {
  expect(shown(2, 3, 4)).toEqual(['2x3'])
})

test('all cores are used, by few lanes of many threads or by many of few, and one lane of one is tried too', () => {
  expect(shown('auto', 'auto', 1)).toEqual(['1x1'])
  expect(shown('auto', 'auto', 2)).toEqual(['1x2', '2x1', '1x1'])
  expect(shown('auto', 'auto', 4)).toEqual(['1x4', '2x2', '4x1', '1x1'])
  expect(shown('auto', 'auto', 6)).toEqual(['1x6', '2x3', '4x1', '6x1', '1x1'])
})

test('one of the two may be told', () => {
  expect(shown('auto', 2, 8)).toEqual(['1x2', '2x2', '4x2'])
  expect(shown('auto', 8, 4)).toEqual(['1x8'])
  expect(shown(2, 'auto', 8)).toEqual(['2x4', '2x1'])
})
