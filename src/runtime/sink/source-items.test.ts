import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sourceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import type { FileItem } from '../io/file-item.ts'
import type { Recorded } from '../ports/sink.ts'
import type { NumberedItem } from '../ports/source-data.ts'
import { numberItems } from './number-items.ts'
import { sourceItems } from './source-items.ts'

const stateFolder = (): string => mkdtempSync(join(tmpdir(), 'tributary-items-'))

const numbered = async (
  names: readonly string[],
  recorded: Record<number, string>,
  state: string,
  count?: number,
  where: { readonly folder?: string; readonly sink?: string; readonly areMadeUp?: boolean } = {}
) => {
  const { todo, total, away, left } = await sourceItems({
    ...{ source: sourceId('door@12D3'), folder: '/images', sink: '/sink.jsonl', ...where },
    items: names.map(name => ({ name, path: `/images/${name}` })),
    recorded: new Map(
      Object.entries(recorded).map(([datum, item]): [number, Recorded] => [Number(datum), { item, kind: 'result' }])
    ),
    count,
    stateFolder: state
  })
  const shown = (items: readonly NumberedItem[]): string[] => items.map(({ datum, item }) => `${datum} ${item.name}`)
  return { todo: shown(todo), total, away: shown(away), left, paths: away.map(({ item }) => (item as FileItem).path) }
}

test('a first run numbers items in the order of the folder', async () => {
  const first = await numbered(['a', 'b', 'c'], {}, stateFolder())
  expect(first).toMatchObject({ todo: ['0 a', '1 b', '2 c'], total: 3, away: [], left: 0 })
})

test('a restart goes on with what has no line, whatever was done in between', async () => {
  const state = stateFolder()
  await numbered(['a', 'b', 'c'], {}, state)
  expect(await numbered(['a', 'b', 'c'], { 1: 'b' }, state)).toMatchObject({ todo: ['0 a', '2 c'], total: 3, away: [] })
})

test('files that were added get new numbers at the end, even when they sort first', async () => {
  const state = stateFolder()
  await numbered(['b', 'c'], {}, state)
  expect((await numbered(['a', 'b', 'c'], { 0: 'b' }, state)).todo).toEqual(['1 c', '2 a'])
})

test('a file that has gone and has no result keeps its number, is waited for, and is done when it is back', async () => {
  const state = stateFolder()
  await numbered(['a', 'b', 'c'], {}, state)
  const [restart, later] = [await numbered(['b', 'd'], { 1: 'b' }, state), await numbered(['b'], { 1: 'b' }, state)]
  expect(restart).toMatchObject({ todo: ['3 d'], total: 4, away: ['0 a', '2 c'], paths: ['/images/a', '/images/c'] })
  expect(later).toMatchObject({ todo: [], total: 4, away: ['0 a', '2 c', '3 d'] })
  expect(await numbered(['a', 'b', 'c'], { 1: 'b', 3: 'd' }, state)).toMatchObject({ todo: ['0 a', '2 c'], away: [] })
})

test('with a count, what is here comes before what is away, and what is done before both', async () => {
  const state = stateFolder()
  await numbered(['a', 'b'], {}, state)
  expect(await numbered(['b', 'c'], {}, state, 2)).toMatchObject({ todo: ['1 b', '2 c'], total: 2, away: [] })
  expect(await numbered(['b', 'c'], {}, state, 3)).toMatchObject({ todo: ['1 b', '2 c'], total: 3, away: ['0 a'] })
  const done = { 1: 'b', 2: 'c' }
  expect(await numbered(['a', 'b', 'c'], done, state, 2)).toMatchObject({ todo: [], total: 2, away: [] })
})

test('names that are not UTF-8 are waited for where they were; such as no folder holds are not', async () => {
  const state = stateFolder()
  await numbered(['f\\xe9.p', 'a\\x5cxe9', '../b', '.c', 'd'], {}, state)
  const { away, paths } = await numbered(['d'], {}, state)
  expect(away).toEqual(['0 f\\xe9.p', '1 a\\x5cxe9'])
  const bytes = Buffer.concat([Buffer.from('/images/f'), Buffer.from([0xe9]), Buffer.from('.p')])
  expect(paths).toEqual([bytes, '/images/a\\xe9'])
})

test('items of another folder, or of a run with another sink, are not waited for; their numbers are not used again', async () => {
  for (const [where, then] of [
    [{ folder: '/monday' }, { folder: '/tuesday' }],
    [{ sink: '/one.jsonl' }, { sink: '/two.jsonl' }]
  ]) {
    const state = stateFolder()
    await numbered(['a', 'b'], {}, state, undefined, where)
    expect(await numbered(['b', 'c'], {}, state, undefined, then)).toMatchObject({
      ...{ todo: ['1 b', '2 c'], total: 2, away: [], left: 1 }
    })
    expect(await numbered(['c'], {}, state, undefined, then)).toMatchObject({ away: ['1 b'], total: 2, left: 0 })
  }
})

test('data that are made up are never away', async () => {
  const state = stateFolder()
  await numbered(['0', '1', '2'], {}, state, undefined, { areMadeUp: true })
  const fewer = await numbered(['0', '1'], {}, state, undefined, { areMadeUp: true })
  expect(fewer).toMatchObject({ todo: ['0 0', '1 1'], total: 2, away: [] })
})

test('a file that is done and has gone is done', async () => {
  const state = stateFolder()
  await numbered(['a', 'b'], {}, state)
  expect(await numbered(['b'], { 0: 'a' }, state)).toMatchObject({ todo: ['1 b'], total: 2, away: [] })
})

test('what was no item is read again when its file looks different since, and only then', async () => {
  const state = stateFolder()
  const noItem = (stamp?: string): Recorded => ({
    item: 'a',
    kind: 'noItem',
    ...(stamp === undefined ? {} : { stamp })
  })
  const todo = async (recorded: Recorded, now: string | Error): Promise<readonly number[]> => {
    const items = await sourceItems({
      ...{ source: sourceId('door'), folder: '/images', items: [{ name: 'a', path: '/images/a' }], stateFolder: state },
      sink: '/sink.jsonl',
      recorded: new Map([[0, recorded]]),
      stamp: async () => {
        if (now instanceof Error) throw now
        return { id: now, modified: seconds(0) }
      }
    })
    return items.todo.map(({ datum }) => datum)
  }
  expect(await todo(noItem('5'), '5')).toEqual([])
  expect(await todo(noItem('5'), '6')).toEqual([0])
  expect(await todo(noItem('5'), new Error('away'))).toEqual([])
  expect(await todo(noItem(), '6')).toEqual([]) // only the sink knows: not what it looked like
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
  expect(await numbered(['a', 'b', 'c'], { 0: 'a' }, state, 2)).toMatchObject({ todo: ['1 b'], total: 2, away: [] })
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
