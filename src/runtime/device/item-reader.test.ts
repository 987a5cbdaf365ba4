import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import type { DataPort } from '../ports/data-port.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import type { NumberedItem } from '../ports/source-data.ts'
import { ItemReader, type Reading } from './item-reader.ts'

/** What a file is like: readable, away, or not understood and with a stamp that changes with it. */
type File = 'good' | 'away' | { readonly bad: string; readonly modified?: number }

const WALL = 1_700_000_000

const setUp = (files: Record<string, File>, patience = 30, isLive = false) => {
  const clock = createManualClock()
  const said: string[] = []
  const reads: number[] = []
  const fileOf = (name: string): File => files[name]!
  const port: Pick<DataPort, 'read' | 'stamp'> = {
    read: async ({ name }) => {
      reads.push(clock.now())
      const file = fileOf(name)
      if (file === 'away') throw new ItemUnavailable(`${name}: there is no such file`)
      if (file !== 'good') throw new UserError(`${name}: ${file.bad}`)
      return []
    },
    stamp: async ({ name }) => {
      const file = fileOf(name)
      if (file === 'away') throw new ItemUnavailable(`${name}: there is no such file`)
      if (file === 'good') return { id: 'good', modified: seconds(WALL) }
      return { id: file.bad, modified: seconds(file.modified ?? WALL + clock.now()) }
    }
  }
  const reader = new ItemReader({
    clock,
    wallTime: () => seconds(WALL + clock.now()),
    patience: seconds(patience),
    isLive,
    say: text => said.push(text)
  })
  const read = (numbered: NumberedItem): Promise<Reading> => reader.read(numbered, port)
  return { clock, said, reads, reader, files, read, port }
}

const item = (name: string, datum = 0): NumberedItem => ({ datum, item: { name } })

type Parts = ReturnType<typeof setUp>

/** Reads whatever is due until `until`, as a source does; what became of it, and when. */
const readOn = async ({ clock, reader, read }: Parts, until: number): Promise<{ at: number; reading: Reading }[]> => {
  const all: { at: number; reading: Reading }[] = []
  while (clock.now() < until) {
    const due = reader.due()
    if (due === undefined) await clock.advance(seconds(0.05))
    else {
      const reading = await read(due)
      if (reading.kind !== 'later') all.push({ at: clock.now(), reading })
    }
  }
  return all
}

test('an item that can be read is read', async () => {
  const parts = setUp({ a: 'good' })
  const { reader, read } = parts
  expect(await read(item('a'))).toEqual({ kind: 'tensors', tensors: [] })
  expect(reader.due()).toBeUndefined()
})

test('an item that is away for two seconds is read soon after it is back, and both are said once', async () => {
  const parts = setUp({ a: 'away', b: 'away' })
  const { reader, read, files, said } = parts
  expect((await read(item('a', 0))).kind).toBe('later')
  expect((await read(item('b', 1))).kind).toBe('later')
  reader.lastWasRead()
  expect(reader.waiting).toBe(2)
  expect(await readOn(parts, 2)).toEqual([])
  files.a = 'good'
  files.b = 'good'
  const readings = await readOn(parts, 5)
  expect(readings.map(({ reading }) => reading.kind)).toEqual(['tensors', 'tensors'])
  expect(readings.every(({ at }) => at < 4)).toBe(true)
  expect(said).toEqual([
    'a: a: there is no such file; tried again until it can be read',
    'all items could be read again'
  ])
})

test('an item that stays away is tried less and less often, and given up after the patience, not as bad', async () => {
  const parts = setUp({ a: 'away' })
  const { reader, read, reads } = parts
  await read(item('a'))
  reader.lastWasRead()
  const [last, ...more] = await readOn(parts, 60)
  expect(last!.reading).toEqual({ kind: 'givenUp', because: 'a: there is no such file' })
  expect(last!.at).toBeGreaterThanOrEqual(30)
  expect(last!.at).toBeLessThan(36)
  expect(more).toEqual([])
  expect(reads.length).toBeLessThan(15)
  expect([reader.waiting, reader.givenUp]).toEqual([0, 1])
})

test('of a live source nothing is kept of an item that was given up, whether it is away or keeps changing', async () => {
  const parts = setUp({ away: 'away', changing: { bad: '0' } }, 1, true)
  const { reader, read, files, said, port, clock } = parts
  reader.lastWasRead()
  await read(item('away', 0))
  await read(item('changing', 1))
  const ends: string[] = []
  for (let i = 1; i < 30; i++) {
    files.changing = { bad: `${i}` }
    ends.push(...(await readOn(parts, i)).map(({ reading }) => reading.kind))
  }
  expect(ends).toEqual(['givenUp', 'givenUp'])
  expect([reader.waiting, reader.givenUp]).toEqual([0, 0])
  files.away = files.changing = 'good'
  await clock.advance(seconds(10))
  expect(await reader.look(port)).toBe(false)
  expect(said).toEqual(['away: away: there is no such file; tried again until it can be read'])
})

test('patience has no end while other items are still to be read', async () => {
  const parts = setUp({ a: 'away' })
  const { read, files } = parts
  await read(item('a'))
  expect(await readOn(parts, 1000)).toEqual([])
  files.a = 'good'
  expect((await readOn(parts, 1010)).map(({ reading }) => reading.kind)).toEqual(['tensors'])
})

test('a file that is still being written is read when it is whole, however long that takes', async () => {
  const parts = setUp({ a: { bad: 'cut off at 0' } })
  const { reader, read, files } = parts
  await read(item('a'))
  reader.lastWasRead()
  for (let i = 1; i < 12; i++) {
    expect(await readOn(parts, 6 * i)).toEqual([])
    files.a = { bad: `cut off at ${i}` }
  }
  files.a = 'good'
  expect((await readOn(parts, 80)).map(({ reading }) => reading.kind)).toEqual(['tensors'])
})

test('a file that cannot be understood is bad when it has not changed for ten seconds, with its cause and looks', async () => {
  const parts = setUp({ a: { bad: 'no image' } })
  const { read } = parts
  expect((await read(item('a'))).kind).toBe('later')
  const [only] = await readOn(parts, 30)
  expect(only!.reading).toEqual({ kind: 'bad', because: 'a: no image', stamp: 'no image' })
  expect(only!.at).toBeGreaterThanOrEqual(10)
  expect(only!.at).toBeLessThan(11)
})

test('one that was last changed long ago is looked at twice, a second apart', async () => {
  const parts = setUp({ a: { bad: 'no image', modified: WALL - 61 } })
  const { read } = parts
  await read(item('a'))
  const [only] = await readOn(parts, 30)
  expect(only!.reading.kind).toBe('bad')
  expect(only!.at).toBeGreaterThanOrEqual(1)
  expect(only!.at).toBeLessThan(2)
})

test('a bad file that goes away is away, and one that comes back bad has its time anew', async () => {
  const parts = setUp({ a: { bad: 'no image' } })
  const { read, files } = parts
  await read(item('a'))
  await readOn(parts, 8)
  files.a = 'away'
  await readOn(parts, 16)
  files.a = { bad: 'no image' }
  const [only] = await readOn(parts, 60)
  expect(only!.reading.kind).toBe('bad')
  expect(only!.at).toBeGreaterThanOrEqual(26)
})

test('a file that never stops changing does not hold a source for ever', async () => {
  const parts = setUp({ a: { bad: '0' } }, 5)
  const { reader, read, files } = parts
  await read(item('a'))
  reader.lastWasRead()
  const all: { at: number; reading: Reading }[] = []
  for (let at = 1; at < 80; at++) {
    all.push(...(await readOn(parts, at)))
    files.a = { bad: String(at) }
  }
  expect(all.map(({ reading }) => reading.kind)).toEqual(['givenUp'])
  expect(all[0]!.at).toBeGreaterThanOrEqual(50)
})

test('one that was bad is read again when it has changed: looked at every five seconds, and when nothing else is left', async () => {
  const parts = setUp({ a: { bad: 'half' } })
  const { reader, read, files, port, clock } = parts
  await read(item('a'))
  const [only] = await readOn(parts, 12)
  expect(only!.reading).toMatchObject({ kind: 'bad', stamp: 'half' })
  reader.leave(item('a'), 'half')
  expect(await reader.look(port)).toBe(false)
  files.a = { bad: 'more' }
  await clock.advance(seconds(4))
  expect(await reader.look(port)).toBe(false) // not five seconds yet
  await clock.advance(seconds(1))
  expect([await reader.look(port), reader.waiting]).toEqual([true, 1])
  files.a = 'away'
  expect(await readOn(parts, 20)).toEqual([])
  files.a = 'good'
  expect((await readOn(parts, 30)).map(({ reading }) => reading.kind)).toEqual(['tensors'])
  expect([await reader.look(port, true), reader.waiting, reader.givenUp]).toEqual([false, 0, 0])
  reader.leave(item('a'), 'half')
  expect(await reader.look(port, true)).toBe(true)
})

test('one that was given up is read again when it is back, and counts as given up no more', async () => {
  const parts = setUp({ a: 'away' }, 5)
  const { reader, read, files, port } = parts
  await read(item('a'))
  reader.lastWasRead()
  expect((await readOn(parts, 12)).map(({ reading }) => reading.kind)).toEqual(['givenUp'])
  expect([await reader.look(port, true), reader.givenUp]).toEqual([false, 1])
  files.a = 'good'
  expect([await reader.look(port, true), reader.waiting, reader.givenUp]).toEqual([true, 1, 0])
  expect((await readOn(parts, 13)).map(({ reading }) => reading.kind)).toEqual(['tensors'])
})

test('one that was bad and changes again and again does not hold a source for ever', async () => {
  const parts = setUp({ a: { bad: '0' } }, 5)
  const { reader, read, files, port } = parts
  await read(item('a'))
  reader.lastWasRead()
  const kinds: string[] = []
  for (let at = 1; at < 200; at++) {
    for (const { reading } of await readOn(parts, at)) {
      kinds.push(reading.kind)
      if (reading.kind === 'bad') reader.leave(item('a'), reading.stamp)
    }
    if (at % 12 === 0) files.a = { bad: String(at) }
    await reader.look(port)
  }
  expect(kinds.filter(kind => kind === 'bad').length).toBeGreaterThan(1)
  expect(kinds.at(-1)).toBe('givenUp')
  expect([await reader.look(port, true), reader.waiting]).toEqual([false, 0])
})

test('an item that is not needed any more is forgotten', async () => {
  const parts = setUp({ a: 'away' })
  const { reader, read } = parts
  await read(item('a', 3))
  reader.forget(3)
  expect(reader.waiting).toBe(0)
  expect(await readOn(parts, 10)).toEqual([])
})

test('a fault of the program is not taken for one of the file', async () => {
  const parts = setUp({})
  const { read } = parts
  await expect(read(item('none'))).rejects.toThrow(TypeError)
})
