import { expect, test } from 'vitest'
import type { SinkEntry } from '../../../runtime/ports/sink-entry.ts'
import { isWell, scoreCamera } from './score-camera.ts'

const at = (datum: number) => ({ source: 'porch@porch', datum, item: `frame ${datum}` })
const result = (datum: number, text: string, age = 0.5): SinkEntry => ({
  ...at(datum),
  ...{ result: { text, confidence: 1 }, inferenceTime: age, attempts: 1, availableAt: 100, doneAt: 100 + age }
})
const dropped = (datum: number): SinkEntry => ({ ...at(datum), dropped: true, reason: 'queueFull' })
const textOf = (frame: number): string => `line ${frame % 2}`

test('every frame has one outcome, and each result is the right one', () => {
  const score = scoreCamera(
    'porch',
    4,
    [result(0, 'line 0'), dropped(1), result(2, 'line 0', 1), result(3, 'line 1')],
    textOf
  )
  expect(score).toMatchObject({ results: 3, right: 3, dropped: 1, failed: 0, missing: 0, twice: 0 })
  expect(score.age.most).toBeCloseTo(1, 6)
  expect(isWell(score)).toBe(true)
})

test('what is missing, comes twice, is given up, wrong or old is seen', () => {
  const entries: SinkEntry[] = [
    ...[result(0, 'line 0'), result(0, 'line 0'), result(1, 'line 0'), result(2, 'line 0', 9)],
    { ...at(3), failed: true, cause: 'block 2: no', attempts: 4 }
  ]
  const score = scoreCamera('porch', 5, entries, textOf)
  expect(score).toMatchObject({ results: 3, right: 2, failed: 1, missing: 1, twice: 1 })
  expect(score.age.p95).toBeCloseTo(9, 6)
  const whole = scoreCamera('porch', 1, [result(0, 'line 0')], textOf)
  for (const part of [{ right: 0 }, { failed: 1 }, { missing: 1 }, { twice: 1 }, { age: score.age }])
    expect(isWell({ ...whole, ...part })).toBe(false)
  expect(isWell(whole)).toBe(true)
  expect(isWell({ ...whole, age: score.age }, true)).toBe(true)
})
