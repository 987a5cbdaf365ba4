import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PATIENT_TERMS } from '../core/admission-terms.ts'
import { sourceId } from '../core/ids.ts'
import { memoryItem } from '../library/memory-item.ts'
import { PulledItems } from '../library/pulled-items.ts'
import { PumpedItems } from '../library/pumped-items.ts'
import { LiveItems } from '../runtime/device/live-items.ts'
import type { NumberedItem, SourceData } from '../runtime/ports/source-data.ts'
import { sourceItems } from '../runtime/sink/source-items.ts'
import { createManualClock } from './manual-clock.ts'
import { toyItems } from './simulated/toy-items.ts'

/** A source of so many data, of which those of some numbers are done already, where that can be. */
type Open = (count: number, done: readonly number[]) => Promise<SourceData>

const tensor = { dims: [1], data: [1] }
const recordedOf = (done: readonly number[]) =>
  new Map(done.map(datum => [datum, { item: name(datum), kind: 'result' as const }]))
const name = (datum: number): string => `item-${String(datum).padStart(3, '0')}`

const folder: Open = async (count, done) => {
  const stateFolder = await mkdtemp(join(tmpdir(), 'tributary-source-data-'))
  const items = Array.from({ length: count }, (_, datum) => ({
    name: name(datum),
    path: join(stateFolder, name(datum))
  }))
  const start = (recorded: ReturnType<typeof recordedOf>) =>
    sourceItems({ source: sourceId('cam'), folder: stateFolder, items, recorded, stateFolder })
  await start(recordedOf([]))
  return start(recordedOf(done))
}

const simulated: Open = async (count, done) => toyItems(count, recordedOf(done))

const streaming = (todo: SourceData['todo'] & { readonly taken: number }): SourceData => ({
  ...{ todo, away: [] },
  get total() {
    return todo.taken
  }
})

const given = (count: number) => Array.from({ length: count }, (_, datum) => ({ name: name(datum), tensors: tensor }))
const live = () =>
  new LiveItems({ terms: { ...PATIENT_TERMS, queue: 4 }, clock: createManualClock(), dropped: async () => {} })

const pulled: Open = async count => streaming(new PulledItems(given(count)))

const pumped: Open = async count => streaming(new PumpedItems(new PulledItems(given(count)), live()))

const offered: Open = async count => {
  const items = live()
  void (async () => {
    for (const [datum, item] of given(count).entries()) await items.offer(memoryItem(item, datum))
    items.end()
  })()
  return streaming(items)
}

const all = async ({ todo }: SourceData): Promise<NumberedItem[]> => {
  const items: NumberedItem[] = []
  for await (const item of todo) items.push(item)
  return items
}

describe.each<[string, Open, boolean]>([
  ['of a folder', folder, true],
  ['of a simulated source', simulated, true],
  ['that are pulled from a program', pulled, false],
  ['that are read as fast as a program gives them', pumped, false],
  ['that come by themselves', offered, false]
])('data %s', (_, open, goesOn) => {
  test('come once each, in the order of their numbers, with a name each, and end', async () => {
    const data = await open(12, [])
    const items = await all(data)
    expect(items.map(({ datum }) => datum)).toEqual(Array.from({ length: 12 }, (_, datum) => datum))
    expect(new Set(items.map(({ item }) => item.name)).size).toBe(12)
    expect(items.every(({ item }) => item.name !== '')).toBe(true)
    expect([data.total, data.away]).toEqual([12, []])
  })

  test('are none where there are none', async () => {
    const data = await open(0, [])
    expect([await all(data), data.total]).toEqual([[], 0])
  })

  test('without those that are done, which count and keep their numbers', async () => {
    if (!goesOn) return // numbered anew in each life of the process
    const data = await open(6, [0, 3])
    expect((await all(data)).map(({ datum }) => datum)).toEqual([1, 2, 4, 5])
    expect(data.total).toBe(6)
  })
})

test.each([
  [
    'that are pulled from a program',
    () => new PulledItems({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) })
  ],
  ['that come by themselves', live]
])('data %s end when they are closed, also while one is waited for, and twice', async (_, open) => {
  const stream = open()
  const waiting = stream[Symbol.asyncIterator]().next()
  stream.close()
  stream.close()
  expect((await waiting).done).toBe(true)
})
