import { expect, test } from 'vitest'
import { roundsOf } from './rounds-of.ts'

const images = (source: string, count: number) => ({
  source,
  items: Array.from({ length: count }, (_, i) => `${String(i).padStart(3, '0')}.png`)
})

test('every image is in exactly one round, in its order, the rounds alike', () => {
  const [porch, door] = [images('porch', 72), images('door', 40)]
  const rounds = roundsOf([porch, door])
  expect(rounds).toHaveLength(3)
  expect(rounds.map(round => round.get('door')!.items.length)).toEqual([13, 14, 13])
  for (const { source, items } of [porch, door]) {
    expect(rounds.flatMap(round => round.get(source)!.items)).toEqual(items)
    expect(rounds.at(-1)!.get(source)!.upTo).toBe(items.length)
  }
})

test('few images are one round', () => {
  const [round, ...more] = roundsOf([images('porch', 72), images('door', 23)])
  expect(more).toEqual([])
  expect(round!.get('door')!.upTo).toBe(23)
})
