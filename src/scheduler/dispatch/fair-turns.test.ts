import { expect, test } from 'vitest'
import { ContestQueue } from './contest-queue.ts'
import { MANY, MOST_TURNS } from './fair-turns.ts'

interface Item {
  readonly home: string
  readonly sender: string
  readonly weight: number
  readonly turn: number
}

let turns = 0
const item = (home: string, weight: number, sender = home): Item => ({ home, sender, weight, turn: turns++ })

const queueOf = (items: readonly Item[]): ContestQueue<Item> => {
  const queue = new ContestQueue<Item>({
    ...{ rank: ({ turn }) => turn, tie: () => 0, turn: ({ turn }) => turn },
    contest: { classOf: ({ weight }) => weight, urgency: ({ weight }) => weight },
    partiesOf: ({ home, sender }) => [sender, home]
  })
  for (const each of items) queue.push(each)
  return queue
}

const flood = (make: (i: number) => Item, length = 2 * MANY): Item[] => Array.from({ length }, (_, i) => make(i))

test('whoever says that its data weigh a billion leaves others one turn in so many', () => {
  const few = [...flood(() => item('mallory', 1e9), 3 * MOST_TURNS), item('cam', 1), item('cam', 1)]
  const queue = queueOf(few)
  const served = Array.from({ length: 2 * MOST_TURNS + 2 }, () => {
    const first = queue.first()
    const next = queue.shift()
    expect(next).toBe(first)
    return next!.home
  })
  const places = served.flatMap((home, i) => (home === 'cam' ? [i] : []))
  expect(places).toEqual([MOST_TURNS, 2 * MOST_TURNS + 1])
  expect(queue.size).toBe(few.length - served.length)
})

test('so does whoever says of each that it is of another home', () => {
  const queue = queueOf([...flood(i => item(`home ${i % 7}`, 1e9, 'mallory')), item('cam', 1)])
  const served = Array.from({ length: MOST_TURNS + 1 }, () => queue.shift()!.home)
  expect(served.at(-1)).toBe('cam')
})

test("so does whoever says of each that it is another's, who has its turns all the same", () => {
  const queue = queueOf([...flood(() => item('cam', 1e9, 'mallory')), item('cam', 1), item('shed', 1)])
  const served = Array.from({ length: 2 * MOST_TURNS + 2 }, () => queue.shift()!)
  expect(served.filter(({ sender }) => sender !== 'mallory').map(({ sender }) => sender)).toEqual(['cam', 'shed'])
})

test('so does whoever has more than a window of data here, of the same weight', () => {
  const queue = queueOf([...flood(() => item('mallory', 1)), item('cam', 1)])
  const served = Array.from({ length: MOST_TURNS + 1 }, () => queue.shift()!.home)
  expect(served.at(-1)).toBe('cam')
})

test('windows of data, and weights as sources have them, are served in their order', () => {
  const of = (home: string, weight: number): Item[] => flood(() => item(home, weight), MANY - 1)
  for (const [one, other] of [
    [1, 1],
    [10, 1]
  ] as const) {
    const queue = queueOf([...of('porch', one), ...of('shed', other)])
    const served = Array.from({ length: MANY }, () => queue.shift()!.home)
    expect(served.slice(0, -1)).toEqual(Array(MANY - 1).fill('porch'))
    expect(served.at(-1)).toBe('shed')
  }
})

test('turns that nobody else waited for are not counted, and the order is as without', () => {
  const queue = queueOf(flood(() => item('shed', 1)))
  for (let i = 0; i < 3 * MOST_TURNS; i++) queue.shift()
  queue.push(item('cam', 1))
  const served = Array.from({ length: MOST_TURNS }, () => queue.shift()!.home)
  expect(new Set(served)).toEqual(new Set(['shed']))
  expect(queue.shift()!.home).toBe('cam')
})

test('who has been taken out waits no longer', () => {
  const queue = queueOf([...flood(() => item('mallory', 1e9)), item('cam', 1)])
  expect(queue.takeOut(({ home }) => home === 'cam')).toHaveLength(1)
  for (let i = 0; i < 2 * MANY; i++) expect(queue.shift()!.home).toBe('mallory')
  expect([queue.shift(), queue.first(), queue.size]).toEqual([undefined, undefined, 0])
})
