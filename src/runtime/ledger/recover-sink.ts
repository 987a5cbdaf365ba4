import { LINE_START, type SinkEntry, sinkEntrySchema } from './sink-entry.ts'
import type { SinkFile } from './sink-file.ts'

export interface RecoveredSink {
  /** Bytes of whole lines; what follows is torn. */
  readonly length: number
  /** Bytes after that: of a line that was being written when the process died. */
  readonly torn: number
}

const PIECE = 256 * 1024
/** Longer lines are none of ours. */
const MAX_LINE = 64 * 1024 * 1024
const NEWLINE = 10

/**
 * Read what an earlier run left, line by line.
 * @throws RangeError that names the line when it is not a sink; nothing was changed then
 */
export const recoverSink = async (file: SinkFile, found: (entry: SinkEntry) => void): Promise<RecoveredSink> => {
  const decoder = new TextDecoder()
  let kept: Uint8Array[] = []
  let keptBytes = 0
  let length = 0
  let line = 0
  for (let at = 0; at < file.size; ) {
    const piece = await file.read(at, Math.min(PIECE, file.size - at))
    if (piece.byteLength === 0) break
    at += piece.byteLength
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, from)) {
      const whole = Buffer.concat([...kept, piece.subarray(from, end)])
      line++
      const entry = parseLine(decoder.decode(whole), line)
      if (entry !== undefined) found(entry)
      length += whole.byteLength + 1
      kept = []
      keptBytes = 0
      from = end + 1
    }
    kept.push(piece.subarray(from))
    keptBytes += piece.byteLength - from
    if (keptBytes > MAX_LINE) throw new RangeError(`line ${line + 1} is longer than 64 MiB, so it is not a sink`)
  }
  checkTorn(Buffer.concat(kept), line + 1)
  return { length, torn: keptBytes }
}

const parseLine = (text: string, line: number): SinkEntry | undefined => {
  if (text.trim() === '') return undefined
  try {
    return sinkEntrySchema.parse(JSON.parse(text))
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
