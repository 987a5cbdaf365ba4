import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { LivePort } from '../runtime/io/create-live-port.ts'
import type { LiveItem } from '../runtime/io/live-item.ts'
import { ItemUnavailable } from '../runtime/ports/item-unavailable.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { createWatchFeed } from './create-watch-feed.ts'
import { WatchJournal } from './watch-journal.ts'

/** A folder in memory, and what came of it. */
const watched = async (
  state?: string,
  has: (datum: number) => boolean = () => false,
  taken: () => Promise<void> = async () => {}
) => {
  const folder = state ?? (await mkdtemp(join(tmpdir(), 'tributary-watch-')))
  const clock = createManualClock()
  const files = new Map<string, string>()
  let isAway = false
  const log: string[] = []
  const items: LiveItem[] = []
  const over = new AbortController()
  const port = {
    files: {
      list: async (_: string, _say: unknown, where: string) => {
        if (isAway || files.size === 0)
          throw new ItemUnavailable(`${where}: ${isAway ? 'there is no such folder' : 'is empty'}`)
        return [...files.keys()].map(name => ({ name, path: name }))
      },
      stamp: async ({ name }: { name: string }) => {
        const id = files.get(name)
        if (id === undefined) throw new ItemUnavailable('gone')
        return { id, modified: seconds(0) }
      }
    }
  } as unknown as LivePort
  const journal = new WatchJournal({ source: 'cam@porch', folder, has })
  const feed = createWatchFeed({ folder: 'in', settle: seconds(2), journal, clock, say: text => log.push(text) })
  const offer = async (item: LiveItem) => {
    await taken()
    return items.push(item) - 1
  }
  const running = feed.run({ offer, port, signal: over.signal })
  const names = () => items.map(({ name }) => name)
  const setAway = (away: boolean) => {
    isAway = away
  }
  const stop = async () => {
    over.abort()
    await running
  }
  return { ...{ clock, files, log, items, names, feed, journal, folder, setAway, stop } }
}

test('a file is an item when it has not changed for a while, however long it was written', async () => {
  const { clock, files, names } = await watched()
  for (let size = 0; size < 6; size++) {
    files.set('a', `${size}`)
    await clock.advance(seconds(1))
  }
  expect(names()).toEqual([])
  await clock.advance(seconds(2))
  expect(names()).toEqual(['a'])
  await clock.advance(seconds(20))
  expect(names()).toEqual(['a'])
})

test('one that is written anew, or that another is renamed to, is a new item; one that is deleted is forgotten', async () => {
  const { clock, files, names, feed, items, journal } = await watched()
  files.set('a', '1')
  files.set('b', '1')
  await clock.advance(seconds(3))
  for (const item of items) feed.settled!(item)
  files.set('a', '2')
  files.delete('b')
  files.set('c', '1')
  await clock.advance(seconds(3))
  expect(names()).toEqual(['a', 'b', 'a', 'c'])
  expect(journal.knows('b', '1')).toBe(false)
})

test('a folder that vanishes and comes back is looked for, and nothing of it is done twice', async () => {
  const { clock, files, names, log, setAway, feed, items } = await watched()
  files.set('a', '1')
  await clock.advance(seconds(3))
  feed.settled!(items[0]!)
  setAway(true)
  await clock.advance(seconds(60))
  setAway(false)
  files.set('b', '1')
  await clock.advance(seconds(3))
  expect(names()).toEqual(['a', 'b'])
  expect(log).toEqual([
    'watch:in: is empty; looked for again',
    'watch:in is there again',
    'watch:in: there is no such folder; looked for again',
    'watch:in is there again'
  ])
})

test('a flood of files waits in the folder while nothing is taken, and then each has its turn', async () => {
  const room = Promise.withResolvers<void>()
  const { clock, files, names } = await watched(undefined, undefined, () => room.promise)
  const all = Array.from({ length: 5000 }, (_, i) => `${i}`.padStart(4, '0'))
  for (const name of all) files.set(name, '1')
  await clock.advance(seconds(60))
  expect(names()).toEqual([])
  room.resolve()
  await clock.advance(seconds(60))
  expect(names()).toEqual(all)
})

test('started again, what is done stays done, and what was under way is done anew unless its line is in the sink', async () => {
  const first = await watched()
  for (const name of ['done', 'written', 'lost']) first.files.set(name, '1')
  await first.clock.advance(seconds(3))
  first.feed.settled!(first.items[0]!)
  await first.stop()
  const again = await watched(first.folder, datum => datum === 1)
  for (const name of ['done', 'written', 'lost', 'new']) again.files.set(name, '1')
  await again.clock.advance(seconds(3))
  expect(again.names()).toEqual(['lost', 'new'])
})
