/**
 * Pieces of `size` bytes, each in memory of its own; whoever reads them holds up what brings the chunks.
 * @returns how many bytes were left over
 */
export async function* splitFrames(
  chunks: AsyncIterable<Uint8Array>,
  size: number
): AsyncGenerator<Uint8Array, number> {
  let frame = new Uint8Array(size)
  let filled = 0
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength; ) {
      const part = chunk.subarray(from, from + size - filled)
      frame.set(part, filled)
      from += part.byteLength
      filled += part.byteLength
      if (filled < size) continue
      yield frame
      frame = new Uint8Array(size)
      filled = 0
    }
  }
  return filled
}
