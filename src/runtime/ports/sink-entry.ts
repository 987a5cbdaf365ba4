import { z } from 'zod'
import { DROP_REASONS } from '../../core/drop-reason.ts'

/**
 * One line of a sink, as JSON. A result, an item that is none of its kind (so that nothing was tried), one that could not be
 * computed, and one that was let go before it was:
 *
 *   {"source":"door","datum":7,"item":"a.png","result":{"text":"42"},"inferenceTime":0.31,"attempts":1,"availableAt":1714554000.2,"doneAt":1714554000.51}
 *   {"source":"door","datum":8,"item":"b.txt","failed":true,"cause":"b.txt: is not an image that can be read","attempts":0}
 *   {"source":"door","datum":9,"item":"c.png","failed":true,"cause":"block 3: ...","attempts":4}
 *   {"source":"door","datum":10,"item":"10","dropped":true,"reason":"deadline"}
 *
 * `inferenceTime` in seconds; `availableAt` and `doneAt` in seconds since 1970, by the clock of the source's device; `route`, where it is known: who computed which blocks.
 */
const named = { source: z.string().min(1), datum: z.int().min(0), item: z.string() }

/** Lines of earlier versions have none. */
const times = { availableAt: z.number().optional(), doneAt: z.number().optional() }

const outcomes = z.union([
  z.object({ ...named, failed: z.literal(true), cause: z.string(), attempts: z.int().min(0), ...times }),
  z.object({ ...named, dropped: z.literal(true), reason: z.enum(DROP_REASONS), ...times }),
  z.object({
    ...named,
    result: z.unknown(),
    inferenceTime: z.number(),
    attempts: z.int().min(1),
    ...times,
    route: z.unknown().optional()
  })
])

/** How earlier versions wrote that an item was none. */
const skippedSchema = z
  .object({ ...named, skipped: z.string() })
  .transform(({ skipped, ...of }): FailedEntry => ({ ...of, failed: true, cause: skipped, attempts: 0 }))

export const sinkEntrySchema = z.union([skippedSchema, outcomes])

export type FailedEntry = z.output<(typeof outcomes.options)[0]>
export type DroppedEntry = z.output<(typeof outcomes.options)[1]>
export type ResultEntry = z.output<(typeof outcomes.options)[2]>
/** One line of a sink: what became of one datum. */
export type SinkEntry = FailedEntry | DroppedEntry | ResultEntry

/** One line. Not by trying one kind after the other: a sink may have hundreds of thousands. @throws when it is none of ours */
export const parseSinkLine = (text: string): SinkEntry => {
  const json: unknown = JSON.parse(text)
  const [failed, dropped, result] = outcomes.options
  if (typeof json !== 'object' || json === null) return result.parse(json)
  if ('dropped' in json) return dropped.parse(json)
  return ('skipped' in json ? skippedSchema : 'failed' in json ? failed : result).parse(json)
}

/** How every line begins: what tells a torn line of ours from a file that is somebody else's. */
export const LINE_START = '{"source":'

/** Keys in the documented order, whatever the order of the object's own. */
export const sinkLine = (entry: SinkEntry): string => {
  const { source, datum, item, ...rest } = entry
  return `${JSON.stringify({ source, datum, item, ...rest })}\n`
}

export const isFailed = (entry: SinkEntry): entry is FailedEntry => 'failed' in entry

/** It has failed because its item is none of its kind: nothing was computed. */
export const isNoItem = (entry: SinkEntry): boolean => isFailed(entry) && entry.attempts === 0

export const isDropped = (entry: SinkEntry): entry is DroppedEntry => 'dropped' in entry

export const isResult = (entry: SinkEntry): entry is ResultEntry => outcomeOf(entry) === 'result'

/** What became of the datum. */
export const outcomeOf = (entry: SinkEntry): 'result' | 'failed' | 'dropped' => {
  if (isFailed(entry)) return 'failed'
  return isDropped(entry) ? 'dropped' : 'result'
}
