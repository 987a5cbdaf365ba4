import { expect, test } from 'vitest'
import { identityOf } from './open-branch.ts'
import { parseSinkSpec } from './sink-spec.ts'

test('a sink is a path and what is to be done with it', () => {
  expect(parseSinkSpec('out/results.jsonl')).toMatchObject({ path: 'out/results.jsonl', rotation: undefined })
  expect(parseSinkSpec('file:a,b.jsonl,rotate=64MiB,keep=3,sources=door+cam')).toMatchObject({
    path: 'a,b.jsonl',
    rotation: { size: 64 * 2 ** 20, keep: 3 },
    sources: ['door', 'cam']
  })
})

test.each([
  ['', /needs a file/],
  ['a.jsonl,rotat=1MiB', /unknown option "rotat", did you mean "rotate"\? \(known: rotate, keep, sources\)/],
  ['a.jsonl,rotate=1KiB', /rotate: 1KiB is less than 4KiB/],
  ['a.jsonl,rotate=64', /rotate: "64" has no unit/],
  ['a.jsonl,keep=3', /keep goes with rotate=SIZE/],
  ['a.jsonl,rotate=1MiB,keep=0', /keep: must be how many rotated files remain, 1 to 999999/],
  ['a.jsonl,rotate=1MiB,rotate=2MiB', /rotate is given twice/],
  ['-,rotate=1MiB', /standard output is no file that could be rotated/]
])('%j is refused, and it is said what may stand there', (text, because) => {
  expect(() => parseSinkSpec(text)).toThrow(because)
})

test('standard output is the same sink by whatever name, and a file whatever leads to it', () => {
  expect(identityOf([parseSinkSpec('stdout')])).toBe(identityOf([parseSinkSpec('-')]))
  expect(identityOf([parseSinkSpec('./a/../b.jsonl')])).toBe(identityOf([parseSinkSpec('file:b.jsonl')]))
})
