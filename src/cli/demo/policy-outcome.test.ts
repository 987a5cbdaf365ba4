import { expect, test } from 'vitest'
import { policyOutcome } from './policy-outcome.ts'
import type { SinkLine } from './read-sink.ts'
import type { RoundRecord } from './run-policy.ts'

const line = (item: string, text: string, inferenceTime: number): SinkLine => ({
  item,
  result: { text, confidence: 0.5 },
  inferenceTime
})
const round = (lines: readonly SinkLine[], makespan: number, busySeconds: number, lateSeconds = 0): RoundRecord => ({
  policy: 'confluence',
  lines: new Map([['porch', lines]]),
  makespan,
  bytesSent: 100,
  devices: [{ name: 'porch', blocks: [0, 1], residentBytes: 7, busySeconds, lateSeconds }],
  links: []
})
const plain = {
  expected: new Map([
    [
      'porch',
      new Map([
        ['a', 'A'],
        ['b', 'B'],
        ['c', 'C']
      ])
    ]
  ]),
  confidences: new Map([['porch', new Map([['a', 0.75]])]])
}

test('rounds are one run: their images, their time, each with its own rate', () => {
  const rounds = [round([line('a', 'A', 1), line('b', 'X', 3)], 2, 1, 0.1), round([line('c', 'C', 2)], 2, 2)]
  const { run, inferenceTime, texts } = policyOutcome(rounds, plain, 'fp32')
  expect(run).toMatchObject({
    policy: 'confluence',
    sources: [{ name: 'porch', images: 3, correct: 2, wrong: 1, lost: 0, duplicates: 0 }],
    throughput: 0.75,
    makespan: 4,
    rounds: [
      { throughput: 1, makespan: 2 },
      { throughput: 0.5, makespan: 2 }
    ],
    bytesSent: 200,
    devices: [{ name: 'porch', busy: 0.75 }],
    disturbance: expect.closeTo(0.1 / 2.9, 9),
    encoding: { differently: 1, maxDifference: 0.25 }
  })
  expect(inferenceTime.mean).toBeCloseTo(2, 9)
  expect(texts.get('porch/c')).toBe('C')
})

test('an image that came in no round is lost, one that came in two is there twice and counts once', () => {
  const { run } = policyOutcome([round([line('a', 'A', 1), line('a', 'A', 1)], 1, 1), round([], 1, 1)], plain, 'fp32')
  expect(run.sources[0]).toMatchObject({ correct: 1, lost: 2, duplicates: 1 })
  expect(run.rounds.map(({ throughput }) => throughput)).toEqual([1, 0])
})
