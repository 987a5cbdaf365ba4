import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RankedQueue } from './ranked-queue.ts'

interface Item {
  readonly rank: number
  readonly tie: number
  readonly turn: number
}

test('items come out by rank, and those of one rank by tie, then in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 }))), places => {
      const queue = new RankedQueue<Item>({
        rank: item => item.rank,
        tie: item => item.tie,
        turn: item => item.turn
      })
      const items = places.map(([rank, tie], turn) => ({ rank, tie, turn }))
      for (const item of items) queue.push(item)
      const out: Item[] = []
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) out.push(item)
      expect(out).toEqual(items.toSorted((a, b) => a.rank - b.rank || a.tie - b.tie || a.turn - b.turn))
    })
  )
})
