import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
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
  expect([second.left, second.take()]).toEqual([[1], 3])
  for (const datum of [1, 3]) second.settled(datum)
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

test('what is done is not left, though its line be in a file that was rotated away and one datum be slow', async () => {
  const options = { source: 'cam@porch', folder: await scratch(), sink: 'r.jsonl', has: () => false }
  const first = new LiveNumbers(options)
  for (let i = 0; i < 40; i++) first.take()
  for (let i = 0; i < 38; i++) if (![3, 4, 20].includes(i)) first.settled(i)
  expect(new LiveNumbers(options).left).toEqual([3, 4, 20, 38, 39])
  const again = new LiveNumbers(options)
  again.settled(39)
  expect(new LiveNumbers(options).left).toEqual([3, 4, 20, 38])
})

test('the file is always as long; what has no room in it is left', async () => {
  const options = { source: 'cam@porch', folder: await scratch(), sink: 'r.jsonl', has: () => false }
  const file = join(options.folder, 'cam%40porch.numbers.jsonl')
  const first = new LiveNumbers(options)
  const { size } = await stat(file)
  for (let i = 0; i < 2200; i++) first.take()
  for (let i = 1; i < 2200; i += 2) first.settled(i)
  expect((await stat(file)).size).toBe(size)
  const { left } = new LiveNumbers(options)
  expect(left).toEqual(expect.arrayContaining(Array.from({ length: 1100 }, (_, i) => 2 * i)))
  expect(left).not.toContain(1)
})

test('a file of an earlier version says only which is the lowest', async () => {
  const folder = await scratch()
  await writeFile(join(folder, 'cam%40porch.numbers.jsonl'), '{"open":2,"next":5,"sink":"r.jsonl"}\n')
  expect(new LiveNumbers({ source: 'cam@porch', folder, sink: 'r.jsonl', has: () => false }).left).toEqual([2, 3, 4])
})

test('a disk that refuses stops nothing, and is told once', async () => {
  const said: string[] = []
  const folder = await scratch()
  const say = (text: string) => said.push(text)
  const numbers = new LiveNumbers({ source: 'cam@porch', folder, sink: 'r.jsonl', has: () => false, say })
  const file = join(folder, 'cam%40porch.numbers.jsonl')
  const before = await readFile(file)
  await rm(file)
  expect([numbers.take(), numbers.take(), said.length]).toEqual([0, 1, 1])
  await writeFile(file, before)
  numbers.settled(0)
  expect(new LiveNumbers({ source: 'cam@porch', folder, sink: 'r.jsonl', has: () => false }).left).toEqual([1])
})
