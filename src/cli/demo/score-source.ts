import { type TimeSummary, timeSummary } from '../../core/time-summary.ts'
import type { SinkLine } from './read-sink.ts'

/** What one source's sink shows after a run. Correct, wrong and lost add up to the images; times in seconds. */
export interface SourceScore {
  readonly name: string
  /** Those that can be read as images. */
  readonly images: number
  /** The text is the one that plain ONNX Runtime reads. */
  readonly correct: number
  readonly wrong: number
  /** Images without a result. */
  readonly lost: number
  /** Results beyond the first of an image. */
  readonly duplicates: number
  readonly inferenceTime: TimeSummary
}

/**
 * @param expected what plain ONNX Runtime reads, by file name
 * @param lines the sink, in the order in which it was written
 */
export const scoreSource = (
  name: string,
  expected: ReadonlyMap<string, string>,
  lines: readonly SinkLine[]
): SourceScore => {
  const first = new Map<string, SinkLine>()
  for (const line of lines) if (!first.has(line.item)) first.set(line.item, line)
  const answered = [...expected].filter(([item]) => first.has(item))
  const correct = answered.filter(([item, text]) => first.get(item)!.result.text === text).length
  return {
    name,
    images: expected.size,
    correct,
    wrong: answered.length - correct,
    lost: expected.size - answered.length,
    duplicates: lines.length - first.size,
    inferenceTime: timeSummary([...first.values()].map(line => line.inferenceTime))
  }
}
