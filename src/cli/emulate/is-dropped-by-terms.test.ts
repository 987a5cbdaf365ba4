import { expect, test } from 'vitest'
import { DROP_REASONS } from '../../core/drop-reason.ts'
import type { SinkEntry } from '../../runtime/ports/sink-entry.ts'
import { isDroppedByTerms } from './is-dropped-by-terms.ts'

const dropped = (reason: (typeof DROP_REASONS)[number]): SinkEntry =>
  ({ source: 'cam@porch', datum: 3, item: '3', dropped: true, reason }) as SinkEntry

test('what waits in a queue that drops when its device leaves is dropped; of a source that drops nothing it is lost', () => {
  const byTerms = (drop: 'oldest' | 'newest' | 'none') =>
    DROP_REASONS.filter(r => isDroppedByTerms(dropped(r), { drop }))
  expect(byTerms('oldest')).toEqual(DROP_REASONS)
  expect(byTerms('newest')).toEqual(DROP_REASONS)
  expect(byTerms('none')).toEqual(DROP_REASONS.filter(reason => reason !== 'stopped'))
  const result = { source: 'cam@porch', datum: 3, item: '3', result: 1, inferenceTime: 0.1, attempts: 1 } as unknown
  expect(isDroppedByTerms(result as SinkEntry, { drop: 'oldest' })).toBe(false)
})
