import { expect, test } from 'vitest'
import { fileSafe } from './file-safe.ts'

test('what a file name may not hold becomes an underscore; a name that is safe stays, whatever else becomes like it', () => {
  expect(fileSafe(['a/b', 'a_b', 'a:b', 'größe', 'a_b-2'])).toEqual(['a_b-3', 'a_b', 'a_b-4', 'größe', 'a_b-2'])
  expect(fileSafe(['x:0', 'y.1', 'z-2'])).toEqual(['x_0', 'y.1', 'z-2'])
})

test('names of which one ends another behind a dot make no two items share a file', () => {
  expect(fileSafe(['b.c', 'c'])).toEqual(['b_c', 'c'])
  const files = ['a', 'a.b'].flatMap(item => fileSafe(['b.c', 'c']).map(name => `${item}.${name}.npy`))
  expect(new Set(files).size).toBe(4)
})

test('names that differ only in bytes that are not UTF-8 stay different', () => {
  const names = ['a\uFFFDff', 'a\uFFFDfe', '\u0000', '\u0001']
  expect(new Set(fileSafe(names)).size).toBe(4)
})
