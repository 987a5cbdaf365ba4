import { concatBytes } from '../../core/concat-bytes.ts'
import type { SinkFile } from './sink-file.ts'

export interface WholeLines {
  /** Bytes of the file up to the end of its last whole line. */
  readonly length: number
  /** What follows: of a line that was being written when the process died. */
  readonly torn: Uint8Array
}

const PIECE = 256 * 1024
/** Longer lines are none of ours. */
export const MAX_LINE = 64 * 1024 * 1024
const NEWLINE = 10

/**
 * Every whole line of a file from `from`, where a line begins, to `size`.
 * @param found is told each line and its number, from 1
 * @throws RangeError for a line that is too long to be one, and whatever `found` throws
 */
export const readLines = async (
  file: Pick<SinkFile, 'read'>,
  { from, size }: { readonly from: number; readonly size: number },
  found: (text: string, line: number) => void
): Promise<WholeLines> => {
  const decoder = new TextDecoder()
  let kept: Uint8Array[] = []
  let keptBytes = 0
  let length = from
  let line = 0
  for (let at = from; at < size; ) {
    const piece = await file.read(at, Math.min(PIECE, size - at))
    if (piece.byteLength === 0) break
    at += piece.byteLength
    let begin = 0
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, begin)) {
      const whole = concatBytes([...kept, piece.subarray(begin, end)])
      found(decoder.decode(whole), ++line)
      length += whole.byteLength + 1
      kept = []
      keptBytes = 0
      begin = end + 1
    }
    kept.push(piece.subarray(begin))
    keptBytes += piece.byteLength - begin
    if (keptBytes > MAX_LINE) throw new RangeError(`line ${line + 1} is longer than 64 MiB, so it is not a sink`)
  }
  return { length, torn: concatBytes(kept) }
}
