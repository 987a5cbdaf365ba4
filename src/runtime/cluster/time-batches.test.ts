import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { timeBatches } from './time-batches.ts'

/** @param timed what so many data take, at the nth time that any are timed */
const curveOf = (timed: (size: number, nth: number) => number | undefined, over = {}) => {
  const asked: number[] = []
  const curve = timeBatches({
    timed: async size => {
      const took = timed(size, asked.push(size))
      return took === undefined ? undefined : seconds(took)
    },
    ...{ time: seconds(1), mostData: 8, atMost: seconds(1000) },
    ...over
  })
  return curve.then(found => ({ asked, points: found?.points.slice(1).map(({ size, times }) => [size, times]) }))
}
const gaining = (size: number): number => 0.5 + 0.5 * size

test('two, four and eight, each beside one', async () => {
  const { asked, points } = await curveOf(gaining)
  expect(asked).toEqual([1, 2, 1, 4, 1, 8])
  expect(points).toEqual([
    [2, 1.5],
    [4, 2.5],
    [8, 4.5]
  ])
})

test('what one took while the machine was busy does not make batches look good', async () => {
  // One took 1 at first, and half as much ever since: so many take as long as one after the other.
  expect((await curveOf(size => size / 2)).points).toBeUndefined()
})

test('nor does a lucky run of one make them look bad for good', async () => {
  expect((await curveOf((size, nth) => (nth === 3 ? 0.9 : gaining(size)))).points?.map(([size]) => size)).toEqual([
    2, 4, 8
  ])
})

test('one size that gains nothing is passed over, two end it', async () => {
  const odd = await curveOf(size => (size === 2 ? 2 : gaining(size)))
  expect(odd.points?.at(-1)).toEqual([8, 4.5])
  expect((await curveOf(size => size)).asked).toEqual([1, 2, 1, 4])
})

test('a size that does not run leaves those before it', async () => {
  expect((await curveOf(size => (size === 8 ? undefined : gaining(size)))).points).toEqual([
    [2, 1.5],
    [4, 2.5]
  ])
})

test('no more data than there is room for, no longer than is allowed', async () => {
  expect((await curveOf(gaining, { mostData: 5 })).asked).toEqual([1, 2, 1, 4])
  expect((await curveOf(gaining, { atMost: seconds(16) })).asked).toEqual([1, 2, 1, 4])
  expect((await curveOf(gaining, { atMost: seconds(5.9) })).asked).toEqual([])
})
