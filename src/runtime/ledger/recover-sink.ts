import { readLines } from './read-lines.ts'
import { LINE_START, parseSinkLine, type SinkEntry } from './sink-entry.ts'
import type { SinkFile } from './sink-file.ts'

export interface RecoveredSink {
  /** Bytes of whole lines; what follows is torn. */
  readonly length: number
  /** Bytes after that: of a line that was being written when the process died. */
  readonly torn: number
}

/**
 * Read what is in a sink from `from` to `size`, line by line.
 * @throws RangeError that names the line when it is not a sink; nothing was changed then
 */
export const recoverSink = async (
  file: Pick<SinkFile, 'read'>,
  range: { readonly from: number; readonly size: number },
  found: (entry: SinkEntry) => void
): Promise<RecoveredSink> => {
  let lines = 0
  const { length, torn } = await readLines(file, range, (text, line) => {
    lines = line
    const entry = parseLine(text, line)
    if (entry !== undefined) found(entry)
  })
  checkTorn(torn, lines + 1)
  return { length, torn: torn.byteLength }
}

const parseLine = (text: string, line: number): SinkEntry | undefined => {
  if (text.trim() === '') return undefined
  try {
    return parseSinkLine(text)
  } catch {
    throw new RangeError(`line ${line} is not a result of tributary: ${text.slice(0, 60)}`)
  }
}

/** What may be cut off: the beginning of a line of ours, or the zeros that a file system leaves after a power cut. */
const checkTorn = (torn: Uint8Array, line: number): void => {
  const begin = new TextDecoder().decode(torn.subarray(0, LINE_START.length))
  const ours = begin.startsWith(LINE_START) || LINE_START.startsWith(begin)
  const blank = torn.every(byte => byte === 0 || byte === 32)
  if (!(ours || blank)) throw new RangeError(`line ${line} is not a result of tributary`)
}
