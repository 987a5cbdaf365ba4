import { expect, test } from 'vitest'
import type { SinkEntry } from '../runtime/ports/sink-entry.ts'
import { shownResult } from './shown-result.ts'

const shown = (rest: object) =>
  shownResult({ number: 1, entry: { source: 'cam@porch', datum: 7, item: 'a.png', ...rest } as SinkEntry })
const answered = (result: unknown) => shown({ result, inferenceTime: 0.3, attempts: 1, doneAt: 5 })

test('an answer is text, or what was recognised', () => {
  expect(answered({ text: '42' })).toMatchObject({ outcome: 'result', answer: '42', things: [], inferenceTime: 0.3 })
  const cat = { index: 15, label: 'cat', score: 0.9, box: [1, 2, 3, 4] }
  expect(answered([cat, { index: 3, score: 0.2 }])).toMatchObject({
    answer: '',
    things: [
      { label: 'cat', score: 0.9, box: [1, 2, 3, 4] },
      { label: '3', score: 0.2 }
    ]
  })
  expect(answered([])).toMatchObject({ answer: '', things: [] })
})

test('however large an answer is, a page is told little of it', () => {
  expect(answered({ y: Array(1e6).fill(0.5) }).answer).toBe(`{"y":[${Array(12).fill(0.5)},"… 1000000 in all"]}`)
  expect(answered('x'.repeat(1e6)).answer).toHaveLength(2000)
  expect(answered(Array(5000).fill({ index: 1, score: 1 })).things).toHaveLength(100)
  expect(answered(undefined).answer).toBe('')
})

test('what has no answer says why', () => {
  expect(shown({ dropped: true, reason: 'deadline' })).toMatchObject({
    outcome: 'dropped',
    because: 'deadline',
    at: null
  })
  expect(shown({ failed: true, cause: 'is no image', attempts: 0 })).toMatchObject({
    outcome: 'failed',
    because: 'is no image',
    hasPicture: false
  })
})
