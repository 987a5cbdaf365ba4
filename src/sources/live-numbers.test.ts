import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../core/user-error.ts'
import { LiveNumbers } from './live-numbers.ts'

const scratch = () => mkdtemp(join(tmpdir(), 'tributary-numbers-'))

test('no number is used twice, and the next process knows which had no outcome', async () => {
  const options = { source: 'cam@porch', folder: await scratch(), sink: 'results.jsonl', has: () => false }
  const first = new LiveNumbers(options)
  expect([first.take(), first.take(), first.take(), first.left]).toEqual([0, 1, 2, []])
  first.settled(0)
  first.settled(2)
  const second = new LiveNumbers(options)
  expect([second.left, second.take()]).toEqual([[1, 2], 3])
  for (const datum of [1, 2, 3]) second.settled(datum)
  const third = new LiveNumbers(options)
  expect([third.left, third.take()]).toEqual([[], 4])
})

test('another sink owes nothing, and numbers go on', async () => {
  const options = { source: 'cam@porch', folder: await scratch(), sink: 'a.jsonl', has: () => false }
  new LiveNumbers(options).take()
  const other = new LiveNumbers({ ...options, sink: 'a much longer name.jsonl' })
  expect([other.left, other.take()]).toEqual([[], 1])
})

test('a number that has a line is not used, though the file of numbers be lost', async () => {
  const has = (datum: number) => datum < 3
  const numbers = new LiveNumbers({ source: 'cam@porch', folder: await scratch(), sink: 'a.jsonl', has })
  expect([numbers.left, numbers.take(), numbers.take()]).toEqual([[], 3, 4])
})

test('a file that cannot be read is named, with what to do', async () => {
  const folder = await scratch()
  await writeFile(join(folder, 'cam%40porch.numbers.jsonl'), 'nonsense')
  const open = () => new LiveNumbers({ source: 'cam@porch', folder, sink: 'a', has: () => false })
  expect(open).toThrow(UserError)
  expect(open).toThrow(/cam%40porch\.numbers\.jsonl: .*remove it/)
})
