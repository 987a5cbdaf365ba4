import type { Frame } from '../runtime/io/image-to-tensor.ts'
import { FeedFailed } from './feed-failed.ts'

/** Of one picture, in bytes: 8K in colour has 100 million. */
const MOST_BYTES = 2 ** 28
/** Longer than any header. */
const MOST_HEADER = 32

/**
 * Pictures in the formats PPM and PGM, one behind the other, as ffmpeg writes them: each says its own size, so that a stream may change it.
 * What is left of one when the bytes end is left out.
 * @throws FeedFailed where a header is none, or says too much; no memory is taken then
 */
export async function* splitPictures(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let head: Uint8Array = new Uint8Array()
  let frame: Frame | undefined
  let filled = 0
  for await (const chunk of chunks) {
    let rest: Uint8Array = chunk
    while (rest.byteLength > 0) {
      if (frame === undefined) {
        head = Buffer.concat([head, rest])
        const begun = readHeader(head)
        if (begun === undefined) break
        frame = { ...begun.shape, pixels: new Uint8Array(begun.bytes) }
        rest = head.subarray(begun.length)
        head = new Uint8Array()
      }
      const part = rest.subarray(0, frame.pixels.byteLength - filled)
      frame.pixels.set(part, filled)
      filled += part.byteLength
      rest = rest.subarray(part.byteLength)
      if (filled < frame.pixels.byteLength) break
      yield frame
      frame = undefined
      filled = 0
    }
  }
}

interface Header {
  readonly shape: Omit<Frame, 'pixels'>
  /** Of the pixels. */
  readonly bytes: number
  /** Of itself. */
  readonly length: number
}

/** @returns undefined where more is needed */
const readHeader = (bytes: Uint8Array): Header | undefined => {
  const text = Buffer.from(bytes.subarray(0, MOST_HEADER)).toString('latin1')
  const [whole, kind, width, height] = /^P([56])\s(\d+)\s(\d+)\s255\s/.exec(text) ?? []
  if (whole === undefined) {
    if (bytes.byteLength < MOST_HEADER && /^P?[56]?[\s\d]*$/.test(text)) return undefined
    throw new FeedFailed(`what came is no picture: ${JSON.stringify(text)}`)
  }
  const shape = { width: Number(width), height: Number(height), channels: kind === '5' ? 1 : 3 } as const
  const size = shape.width * shape.height * shape.channels
  if (size > MOST_BYTES || size === 0)
    throw new FeedFailed(
      `a picture of ${width}x${height} has ${size} bytes; 1 to ${MOST_BYTES} are taken, so scale it down`
    )
  return { shape, bytes: size, length: whole.length }
}
