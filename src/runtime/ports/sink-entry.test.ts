import { expect, test } from 'vitest'
import { isNoItem, outcomeOf, parseSinkLine, sinkEntrySchema, sinkLine } from './sink-entry.ts'

const of = { source: 'door', datum: 8, item: 'b.txt' }
const line = (rest: object): string => JSON.stringify({ ...of, ...rest })

test('an outcome is a result, dropped or failed; of an item that is none nothing was tried', () => {
  const entries = [
    { result: 1, inferenceTime: 0.5, attempts: 1 },
    { dropped: true, reason: 'deadline' },
    { failed: true, cause: 'block 2', attempts: 4 },
    { failed: true, cause: 'is no image', attempts: 0 }
  ].map(rest => parseSinkLine(line(rest)))
  expect(entries.map(outcomeOf)).toEqual(['result', 'dropped', 'failed', 'failed'])
  expect(entries.map(isNoItem)).toEqual([false, false, false, true])
})

test('a line of an earlier version, which said skipped of an item that is none, has failed with that cause', () => {
  const earlier = line({ skipped: 'is no image' })
  const failed = { ...of, failed: true, cause: 'is no image', attempts: 0 }
  expect(parseSinkLine(earlier)).toEqual(failed)
  expect(sinkEntrySchema.parse(JSON.parse(earlier))).toEqual(failed)
  expect(sinkLine(parseSinkLine(earlier))).toBe(`${line({ failed: true, cause: 'is no image', attempts: 0 })}\n`)
})

test('what is no outcome is refused', () => {
  for (const rest of [{}, { skipped: 1 }, { failed: true, cause: 'x' }, { dropped: true, reason: 'mood' }])
    expect(() => parseSinkLine(line(rest))).toThrow()
})
