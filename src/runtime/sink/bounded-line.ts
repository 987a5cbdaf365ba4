import { type SinkEntry, sinkLine } from '../ports/sink-entry.ts'
import { MAX_LINE } from './read-lines.ts'

/** An entry as it can be written: what is longer than a line of a sink may be has failed, and says why. */
export const boundedLine = (entry: SinkEntry): { readonly entry: SinkEntry; readonly line: string } => {
  const line = lineOf(entry)
  if (line !== undefined && Buffer.byteLength(line) <= MAX_LINE) return { entry, line }
  const { source, datum, item } = entry
  const cause = `its result is longer than ${MAX_LINE / 2 ** 20} MiB, the limit of a line; have it written to files, with output kind npy`
  const attempts = 'attempts' in entry ? entry.attempts : 0
  const failed: SinkEntry = { source, datum, item, failed: true, cause, attempts }
  return { entry: failed, line: sinkLine(failed) }
}

/** @returns undefined where it is longer than any text can be */
const lineOf = (entry: SinkEntry): string | undefined => {
  try {
    return sinkLine(entry)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
