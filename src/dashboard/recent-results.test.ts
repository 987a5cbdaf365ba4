import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import type { SinkEntry } from '../runtime/ports/sink-entry.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import { RecentResults } from './recent-results.ts'

const setUp = () => {
  const clock = createManualClock()
  const results = new RecentResults(clock)
  let datum = 0
  const frame = (source = 'cam@porch') => {
    const item = { name: `${datum}`, content: { kind: 'image', bytes: new Uint8Array(9) } }
    results.note(item, { source, datum: datum++, item: item.name, dropped: true, reason: 'deadline' } as SinkEntry)
  }
  return { clock, results, frame }
}

test('while nobody looks one frame of a source is kept, while somebody does a few, and the list has an end', async () => {
  const { clock, results, frame } = setUp()
  for (let i = 0; i < 5; i++) frame()
  expect([0, 1, 2, 3, 4].map(datum => results.itemOf('cam@porch', datum)?.name)).toEqual([
    ...[undefined, undefined, undefined, undefined, '4']
  ])
  expect(results.after(0).map(({ entry }) => entry.datum)).toEqual([0, 1, 2, 3, 4]) // and now somebody looks
  for (let i = 0; i < 100; i++) frame()
  expect(results.after(0).map(({ item }) => item?.name)).toEqual(
    Array.from({ length: 12 }, (_, i) => String(93 + i)) // the last twelve of 105
  )
  await clock.advance(seconds(11))
  for (let i = 0; i < 3; i++) frame()
  expect(results.after(0).filter(({ item }) => item !== undefined)).toHaveLength(9) // 8 of then, and the last
})

test('files cost nothing, and stay', () => {
  const { results } = setUp()
  for (let datum = 0; datum < 3; datum++)
    results.note({ name: `${datum}.png` }, { source: 'a', datum, item: '', dropped: true, reason: 'deadline' })
  expect(results.after(1).map(({ item }) => item?.name)).toEqual(['1.png', '2.png'])
})

test('sources that come and go do not pile up', () => {
  const { results, frame } = setUp()
  for (let i = 0; i < 1000; i++) frame(`source-${i}`)
  expect(results.after(0)).toHaveLength(256)
})
