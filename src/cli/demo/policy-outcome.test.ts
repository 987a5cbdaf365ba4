import { expect, test } from 'vitest'
import type { PolicyRecord } from './policy-clusters.ts'
import { policyOutcome } from './policy-outcome.ts'
import type { SinkLine } from './read-sink.ts'

const line = (item: string, text: string, inferenceTime: number): SinkLine => ({
  item,
  result: { text, confidence: 0.5 },
  inferenceTime
})
const record = (
  lines: readonly SinkLine[],
  makespans: readonly number[],
  lives: readonly (readonly [busySeconds: number, lateSeconds: number])[]
): PolicyRecord => ({
  policy: 'confluence',
  lines: new Map([['porch', lines]]),
  rounds: makespans.map((makespan, n) => ({ images: n + 1, makespan })),
  lives: lives.map(([busySeconds, lateSeconds]) => ({
    bytesSent: 100,
    devices: [{ name: 'porch', blocks: [0, 1], residentBytes: 7, busySeconds, lateSeconds }],
    links: []
  }))
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
  const lines = [line('a', 'A', 1), line('b', 'X', 3), line('c', 'C', 2)]
  const ended = record(
    lines,
    [1, 3],
    [
      [1, 0.1],
      [2, 0]
    ]
  )
  const { run, inferenceTime, texts } = policyOutcome(ended, plain, 'fp32')
  expect(run).toMatchObject({
    policy: 'confluence',
    sources: [{ name: 'porch', images: 3, correct: 2, wrong: 1, lost: 0, duplicates: 0 }],
    throughput: 0.75,
    makespan: 4,
    rounds: [
      { throughput: 1, makespan: 1 },
      { throughput: 2 / 3, makespan: 3 }
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
  const { run } = policyOutcome(record([line('a', 'A', 1), line('a', 'A', 1)], [1], [[1, 0]]), plain, 'fp32')
  expect(run.sources[0]).toMatchObject({ correct: 1, lost: 2, duplicates: 1 })
})
