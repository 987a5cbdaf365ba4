/** A line, or what was left of one that is longer than it may be. */
export type Line =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'tooLong'; readonly bytes: number }

const NEWLINE = 10

/**
 * Lines of UTF-8, the last also without its end; those that are empty left out. Of a line that is too long, no more is kept.
 * @param most bytes of a line
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let bytes = 0
  const take = (): Line | undefined => {
    const line: Line =
      bytes > most ? { kind: 'tooLong', bytes } : { kind: 'line', text: Buffer.concat(parts).toString('utf8').trim() }
    parts = []
    bytes = 0
    return line.kind === 'line' && line.text === '' ? undefined : line
  }
  const add = (part: Uint8Array): void => {
    bytes += part.byteLength
    if (bytes > most) parts = []
    else parts.push(part)
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, to))
      from = to + 1
      const line = take()
      if (line !== undefined) yield line
    }
    if (from < chunk.byteLength) add(chunk.subarray(from))
  }
  const last = take()
  if (last !== undefined) yield last
}
