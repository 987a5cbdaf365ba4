import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ContestQueue } from './contest-queue.ts'

interface Item {
  readonly name: string
  readonly since: number
  readonly weight: number
}

test('the most urgent class is served, each class in its own order, as urgency changes with time', () => {
  let now = 10
  const queue = new ContestQueue<Item>({
    rank: item => item.since,
    tie: () => 0,
    turn: item => item.since,
    contest: { classOf: item => item.weight, urgency: item => item.weight * (now - item.since) }
  })
  for (const item of [
    { name: 'light old', since: 0, weight: 1 },
    { name: 'light older', since: -1, weight: 1 },
    { name: 'heavy', since: 8, weight: 4 }
  ])
    queue.push(item)
  expect(queue.first()?.name).toBe('light older') // 11 against 8
  now = 11 // 12 against 12: the first class keeps it; a little later the heavy one wins
  now = 11.5
  expect(queue.shift()?.name).toBe('heavy') // 12.5 against 14
  expect([queue.shift()?.name, queue.shift()?.name, queue.shift()]).toEqual(['light older', 'light old', undefined])
})

test('without a contest it is one queue by rank', () => {
  const queue = new ContestQueue<number>({ rank: n => n, tie: () => 0, turn: n => n })
  for (const n of [3, 1, 2]) queue.push(n)
  expect(queue.takeOut(n => n === 2)).toEqual([2])
  expect([queue.size, queue.shift(), queue.shift(), queue.size]).toEqual([2, 1, 3, 0])
})

test('whoever gives way is served after all who do not, in its place again when it gives way no longer, and once', () => {
  const items = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(items, fc.nat(10), fc.nat(10), (all, first, second) => {
      let giving = first
      const yields = (n: number): boolean => n % 11 < giving
      const queue = new ContestQueue<number>({ rank: n => n, tie: () => 0, turn: n => n, yields })
      for (const n of all) queue.push(n)
      const waiting = new Set(all)
      for (let served = 0; served < all.length; served++) {
        if (served === all.length >> 1) giving = second
        expect([queue.size, queue.items().length]).toEqual([waiting.size, waiting.size])
        const contenders = [...waiting].filter(n => !yields(n))
        const expected = Math.min(...(contenders.length > 0 ? contenders : waiting))
        expect(queue.first()).toBe(expected)
        expect(queue.shift()).toBe(expected)
        waiting.delete(expected)
      }
      expect([queue.size, queue.shift()]).toEqual([0, undefined])
    })
  )
})

test('in order is as they are then served, were it always now: classes by urgency, who gives way last', () => {
  const items = fc.uniqueArray(fc.record({ since: fc.nat(1000), weight: fc.constantFrom(1, 3, 10) }), {
    selector: ({ since }) => since,
    maxLength: 30
  })
  const order = fc.constantFrom<(item: { since: number; weight: number }) => number>(
    ({ weight }) => weight,
    ({ since, weight }) => weight * (1000 - since)
  )
  fc.assert(
    fc.property(items, order, fc.nat(5), fc.nat(5), (all, urgency, first, giving) => {
      let from = first
      const queue = new ContestQueue<{ since: number; weight: number }>({
        ...{ rank: ({ since }) => since, tie: () => 0, turn: ({ since }) => since },
        contest: { classOf: ({ weight }) => weight, urgency },
        yields: ({ since }) => (since + from) % 5 < giving
      })
      for (const item of all) queue.push(item)
      const served = all.length > 0 ? [queue.shift()!] : []
      from = 0
      const told = queue.inOrder()
      while (queue.size > 0) served.push(queue.shift()!)
      expect(served.slice(1)).toEqual(told)
    })
  )
})
