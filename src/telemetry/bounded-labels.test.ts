import { expect, test } from 'vitest'
import { BoundedLabels } from './bounded-labels.ts'

test('the first values keep their names, of each label by itself; later ones are one', () => {
  const labels = new BoundedLabels(2)
  const values = ['a', 'b', 'c', 'a', 'd'].map(value => labels.value('source', value))
  expect(values).toEqual(['a', 'b', 'other', 'a', 'other'])
  expect(labels.value('to', 'c')).toBe('c')
})

test('a value of any length is cut', () => {
  expect(new BoundedLabels().value('source', 'x'.repeat(1e6))).toHaveLength(128)
})
