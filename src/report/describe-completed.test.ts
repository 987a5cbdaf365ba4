import { expect, test } from 'vitest'
import { describeCompleted } from './describe-completed.ts'

const of = (over: { readonly completed?: number; readonly dropped?: number; readonly late?: number }) =>
  describeCompleted({
    ...{ name: 'cam', admitted: 9, completed: 9, dropped: 0, lost: 0, rate: 1 },
    inferenceTime: { mean: 1, p50: 1, p95: 1, p99: 1 },
    ...over
  })

test('results, of how many where not all have one, and what became of the others', () => {
  expect([of({}), of({ completed: 7 }), of({ completed: 7, dropped: 2 }), of({ late: 3 })]).toEqual([
    '9',
    '7 of 9',
    '7 of 9, 2 dropped',
    '9, 3 late'
  ])
})
