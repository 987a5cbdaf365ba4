import { timeSummary } from '../../../core/time-summary.ts'
import { isDropped, isFailed, isResult, type SinkEntry } from '../../../runtime/ports/sink-entry.ts'
import { AGE_BOUND } from './live-cluster.ts'

/** What became of a camera's frames. Ages in seconds: from the instant a frame was there to that when its result was. */
export interface CameraScore {
  readonly name: string
  readonly frames: number
  readonly results: number
  /** Results that are the text which plain ONNX Runtime reads on that frame. */
  readonly right: number
  readonly dropped: number
  /** Given up, or taken for no image. */
  readonly failed: number
  /** Frames without an outcome, and those with more than one. */
  readonly missing: number
  readonly twice: number
  readonly age: { readonly p50: number; readonly p95: number; readonly most: number }
}

/** @param textOf what plain ONNX Runtime reads on a frame */
export const scoreCamera = (
  name: string,
  frames: number,
  entries: readonly SinkEntry[],
  textOf: (frame: number) => string | undefined
): CameraScore => {
  const first = new Map<number, SinkEntry>()
  for (const entry of entries) if (!first.has(frameOf(entry))) first.set(frameOf(entry), entry)
  const all = [...first.values()]
  const results = all.filter(isResult)
  const ages = results.flatMap(({ availableAt, doneAt }) =>
    availableAt === undefined || doneAt === undefined ? [] : [doneAt - availableAt]
  )
  const { p50, p95 } = timeSummary(ages)
  return {
    name,
    frames,
    results: results.length,
    right: results.filter(entry => (entry.result as { text?: unknown }).text === textOf(frameOf(entry))).length,
    dropped: all.filter(isDropped).length,
    failed: all.filter(isFailed).length,
    missing: frames - first.size,
    twice: entries.length - first.size,
    age: { p50, p95, most: ages.reduce((most, age) => Math.max(most, age), 0) }
  }
}

/** "frame 17" is 17. */
const frameOf = ({ item, datum }: SinkEntry): number => Number(/^frame (\d+)$/.exec(item)?.[1] ?? datum)

/** Each frame has one outcome, each result is right, and what is read is new. @param isLate ages say nothing: blocks took longer than declared */
export const isWell = ({ results, right, failed, missing, twice, age }: CameraScore, isLate = false): boolean =>
  results > 0 && right === results && failed + missing + twice === 0 && (isLate || age.p95 <= AGE_BOUND)
