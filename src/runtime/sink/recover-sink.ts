import { LINE_START, parseSinkLine, type SinkEntry } from '../ports/sink-entry.ts'
import { readLines } from './read-lines.ts'
import type { SinkFile } from './sink-file.ts'

/** Text in a sink that is no result, blank lines aside. */
export interface Strange {
  readonly lines: number
  /** The beginning of the first, and its number in what was read. */
  readonly first: string
  readonly line: number
  /** The last has no end yet. */
  readonly isOpen: boolean
}

export interface RecoveredSink {
  /** Bytes that stay: whole lines, and strange text without an end; what follows is torn. */
  readonly length: number
  /** Bytes after that: of a line that was being written when the process died. */
  readonly torn: number
  /** Only where `isOurs`. */
  readonly strange: Strange | undefined
}

export interface SinkRange {
  readonly from: number
  readonly size: number
  /** The file is known to be a sink: what is strange in it is passed over. */
  readonly isOurs?: boolean
}

/** So much of a line is shown. */
const SHOWN = 60

/**
 * Read what is in a sink from `from` to `size`, line by line.
 * @throws RangeError that names the line when it is not a sink; nothing was changed then
 */
export const recoverSink = async (
  file: Pick<SinkFile, 'read'>,
  range: SinkRange,
  found: (entry: SinkEntry) => void
): Promise<RecoveredSink> => {
  const { isOurs = false } = range
  let lines = 0
  let strange: Strange | undefined
  const meet = (text: string, line: number, isOpen = false): void => {
    if (!isOurs) throw new RangeError(`line ${line} is not a result of tributary: ${text.slice(0, SHOWN)}`)
    strange = { line, first: text.slice(0, SHOWN), ...strange, lines: (strange?.lines ?? 0) + 1, isOpen }
  }
  const { length, torn } = await readLines(file, range, (text, line) => {
    lines = line
    if (text.trim() === '') return
    const entry = parseLine(text)
    if (entry === undefined) meet(text, line)
    else found(entry)
  })
  if (mayBeCutOff(torn)) return { length, torn: torn.byteLength, strange }
  meet(new TextDecoder().decode(torn), lines + 1, true)
  return { length: length + torn.byteLength, torn: 0, strange }
}

const parseLine = (text: string): SinkEntry | undefined => {
  try {
    return parseSinkLine(text)
  } catch {
    return undefined
  }
}

/** The beginning of a line of ours, or the zeros that a file system leaves after a power cut. */
const mayBeCutOff = (torn: Uint8Array): boolean => {
  const begin = new TextDecoder().decode(torn.subarray(0, LINE_START.length))
  const ours = begin.startsWith(LINE_START) || LINE_START.startsWith(begin)
  return ours || torn.every(byte => byte === 0 || byte === 32)
}
