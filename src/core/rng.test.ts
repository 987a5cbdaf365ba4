import { expect, test } from 'vitest'
import { createRng } from './rng.ts'

const draw = (seed: string | number, count: number): number[] => {
  const rng = createRng(seed)
  return Array.from({ length: count }, () => rng.next())
}

test('the same seed gives the same numbers, another seed others', () => {
  expect(draw(7, 5)).toEqual(draw(7, 5))
  expect(draw(7, 5)).not.toEqual(draw(8, 5))
})

test('a fork does not depend on what its parent drew before', () => {
  const parent = createRng(1)
  const before = parent.fork('arrivals').next()
  parent.next()
  expect(parent.fork('arrivals').next()).toBe(before)
  expect(parent.fork('jitter').next()).not.toBe(before)
})

test('draws are uniform: each tenth gets its share within five standard deviations', () => {
  const counts = new Array<number>(10).fill(0)
  for (const x of draw('uniform', 100_000)) counts[Math.floor(x * 10)]!++
  const deviation = Math.sqrt(100_000 * 0.1 * 0.9)
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * deviation)
})
