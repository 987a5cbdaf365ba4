import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RankedQueue } from './ranked-queue.ts'

test('items come out by rank, and those of one rank in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 })), ranks => {
      const queue = new RankedQueue<{ rank: number; seq: number }>(item => item.rank)
      const items = ranks.map((rank, seq) => ({ rank, seq }))
      for (const item of items) queue.push(item)
      const out: { rank: number; seq: number }[] = []
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) out.push(item)
      expect(out).toEqual(items.toSorted((a, b) => a.rank - b.rank || a.seq - b.seq))
    })
  )
})
