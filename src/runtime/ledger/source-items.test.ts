import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { numberItems } from './number-items.ts'
import type { Recorded } from './sink.ts'
import { sourceItems } from './source-items.ts'

const stateFolder = (): string => mkdtempSync(join(tmpdir(), 'tributary-items-'))

const numbered = async (names: readonly string[], recorded: Record<number, string>, state: string, count?: number) => {
  const { todo, total, away } = await sourceItems({
    source: 'door@12D3',
    folder: '/images',
    items: names.map(name => ({ name, path: `/images/${name}` })),
    recorded: new Map(
      Object.entries(recorded).map(([datum, item]): [number, Recorded] => [Number(datum), { item, kind: 'result' }])
    ),
    count,
    stateFolder: state
  })
  return { todo: todo.map(({ datum, item }) => `${datum} ${item.name}`), total, away }
}

test('a first run numbers items in the order of the folder', async () => {
  expect(await numbered(['a', 'b', 'c'], {}, stateFolder())).toEqual({ todo: ['0 a', '1 b', '2 c'], total: 3, away: 0 })
})

test('a restart goes on with what has no line, whatever was done in between', async () => {
  const state = stateFolder()
  await numbered(['a', 'b', 'c'], {}, state)
  expect(await numbered(['a', 'b', 'c'], { 1: 'b' }, state)).toEqual({ todo: ['0 a', '2 c'], total: 3, away: 0 })
})

test('files that were added get new numbers at the end, even when they sort first', async () => {
  const state = stateFolder()
  await numbered(['b', 'c'], {}, state)
  expect((await numbered(['a', 'b', 'c'], { 0: 'b' }, state)).todo).toEqual(['1 c', '2 a'])
})

test('a file that has gone keeps its number, is not waited for, and is done when it is back', async () => {
  const state = stateFolder()
  await numbered(['a', 'b'], {}, state)
  expect(await numbered(['b', 'c'], {}, state)).toEqual({ todo: ['1 b', '2 c'], total: 2, away: 1 })
  expect(await numbered(['b', 'c'], {}, state, 2)).toEqual({ todo: ['1 b', '2 c'], total: 2, away: 1 })
  expect(await numbered(['a', 'b', 'c'], { 1: 'b' }, state)).toEqual({ todo: ['0 a', '2 c'], total: 3, away: 0 })
})

test('a file that is done and has gone is done', async () => {
  const state = stateFolder()
  await numbered(['a', 'b'], {}, state)
  expect(await numbered(['b'], { 0: 'a' }, state)).toEqual({ todo: ['1 b'], total: 2, away: 0 })
})

test('what was skipped is read again when its file looks different since, and only then', async () => {
  const state = stateFolder()
  const skipped = (stamp?: string): Recorded => ({
    item: 'a',
    kind: 'skipped',
    ...(stamp === undefined ? {} : { stamp })
  })
  const todo = async (recorded: Recorded, now: string | Error): Promise<readonly number[]> => {
    const items = await sourceItems({
      ...{ source: 'door', folder: '/images', items: [{ name: 'a', path: '/images/a' }], stateFolder: state },
      recorded: new Map([[0, recorded]]),
      stamp: async () => {
        if (now instanceof Error) throw now
        return { id: now, modified: seconds(0) }
      }
    })
    return items.todo.map(({ datum }) => datum)
  }
  expect(await todo(skipped('5'), '5')).toEqual([])
  expect(await todo(skipped('5'), '6')).toEqual([0])
  expect(await todo(skipped('5'), new Error('away'))).toEqual([])
  expect(await todo(skipped(), '6')).toEqual([]) // only the sink knows: not what it looked like
  expect(await todo({ item: 'a', kind: 'failed' }, '6')).toEqual([])
})

test('without its state the sink alone tells what is done', async () => {
  expect((await numbered(['a', 'b', 'c', 'd'], { 1: 'b', 5: 'd' }, stateFolder())).todo).toEqual(['6 a', '7 c'])
})

test('where state and sink differ the sink is right, and no item is done twice or lost', async () => {
  const state = stateFolder()
  await numbered(['a', 'b', 'c'], {}, state)
  expect((await numbered(['a', 'b', 'c'], { 0: 'b' }, state)).todo).toEqual(['2 c', '3 a'])
})

test('count limits all runs together, not each', async () => {
  const state = stateFolder()
  await numbered(['a', 'b', 'c'], {}, state, 2)
  expect(await numbered(['a', 'b', 'c'], { 0: 'a' }, state, 2)).toEqual({ todo: ['1 b'], total: 2, away: 0 })
})

test('a state file that is not one is refused with the remedy', async () => {
  const state = stateFolder()
  await numbered(['a'], {}, state)
  const [file] = readdirSync(state)
  expect(file).toBe('door%4012D3.items.json')
  writeFileSync(join(state, file!), '{')
  await expect(numbered(['a'], {}, state)).rejects.toThrow(/cannot be read any more; remove it/)
})

test('whatever state and sink say, every item that is there has exactly one number, and recorded ones keep theirs', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const present = fc.uniqueArray(name)
  const recorded = fc
    .uniqueArray(name)
    .chain(names =>
      fc
        .uniqueArray(fc.nat(9), { minLength: names.length, maxLength: names.length })
        .map(data => new Map(data.map((d, i) => [d, names[i]!])))
    )
  fc.assert(
    fc.property(present, recorded, present, recorded, (before, sinkBefore, now, sink) => {
      const names = numberItems(numberItems([], sinkBefore, before), sink, now)
      const known = names.filter(n => n !== undefined)
      expect(new Set(known).size).toBe(known.length)
      for (const item of now) expect(names).toContain(item)
      for (const [datum, item] of sink) expect(names[datum]).toBe(item)
    })
  )
})
