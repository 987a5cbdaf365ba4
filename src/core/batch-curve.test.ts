import { expect, test } from 'vitest'
import { batchByDevice } from './batch-by-device.ts'
import { batchCurve } from './batch-curve.ts'

test('between its points a curve is straight, and each takes its share up to the best size', () => {
  const curve = batchCurve([
    { size: 2, times: 1.6 },
    { size: 4, times: 2.4 },
    { size: 8, times: 6 }
  ])!
  expect([1, 2, 3, 4, 6].map(size => curve.times(size))).toEqual([1, 1.6, 2, 2.4, 4.2].map(t => expect.closeTo(t, 9)))
  expect(curve.best).toBe(4)
  expect([0, 1, 4, 100, Number.POSITIVE_INFINITY].map(size => curve.share(size))).toEqual([1, 1, 0.6, 0.6, 0.6])
})

test.each([
  ['gains too little', [{ size: 2, times: 1.92 }]],
  ['is none', []],
  [
    'is not in order',
    [
      { size: 4, times: 2 },
      { size: 2, times: 1.2 }
    ]
  ],
  ['says that more take less than one', [{ size: 2, times: 0.5 }]],
  ['is too large', [{ size: 1e9, times: 2 }]],
  ['is no number', [{ size: 2, times: Number.NaN }]]
])('what %s is no curve', (_, points) => expect(batchCurve(points)).toBeUndefined())

const devices = [
  { name: 'a', group: 'pi' },
  { name: 'b', group: 'pi' },
  { name: 'c', group: undefined }
]

test('curves are written by device or group, as multiples or as times', () => {
  const [a, b, c] = batchByDevice({ pi: { 2: 1.5 }, b: { 1: '20ms', 4: '40ms' } }, devices, 'batch')
  expect([a!.times(2), b!.times(4), c]).toEqual([1.5, 2, undefined])
})

test.each([
  [{ p: { 2: 1.5 } }, /no device or group "p"/],
  [{ a: { 2: '30ms' } }, /add 1: 20ms/],
  [{ a: { 1: '20ms', 2: 1.5 } }, /do not go together/],
  [{ a: { 2.5: 2 } }, /no number of data/],
  [{ a: { 2: 0.5 } }, /2 data take less than 1/],
  [{ a: { 2: 1.9, 8: 1.2 } }, /8 data take less than 2/],
  [{ a: {} }, /0 numbers of data/],
  [{ a: { 1: 'long', 2: 'longer' } }, /long/]
])('%j is refused', (written, because) =>
  expect(() => batchByDevice(written as never, devices, 'batch')).toThrow(because)
)
