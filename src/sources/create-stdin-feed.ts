import type { Readable } from 'node:stream'
import type { Frame } from '../runtime/io/image-to-tensor.ts'
import type { SourceSpec } from '../runtime/io/source-spec.ts'
import type { Feed, FeedParts } from './feed.ts'
import { parseMessage } from './parse-message.ts'
import { splitFrames } from './split-frames.ts'
import { splitLines } from './split-lines.ts'

/** Of a line: an image of 48 MiB in base64. */
const MOST_BYTES = 2 ** 26

/** Items on standard input: one JSON object a line, or raw frames. Whoever writes them waits while there is no room. */
export const createStdinFeed = (
  { argument, size, channels }: Pick<SourceSpec, 'argument' | 'size' | 'channels'>,
  input: Readable = process.stdin
): Feed => ({
  run: async parts => {
    const stop = (): void => void input.destroy()
    parts.signal.addEventListener('abort', stop, { once: true })
    try {
      if (argument === 'frames') await frames(input, { ...size!, channels }, parts)
      else await lines(input, parts)
    } catch (error) {
      if (!parts.signal.aborted) throw error // what was destroyed ends before its time
    } finally {
      parts.signal.removeEventListener('abort', stop)
    }
  }
})

const lines = async (input: Readable, { offer }: FeedParts): Promise<void> => {
  let number = 0
  for await (const line of splitLines(input, MOST_BYTES)) {
    const name = `line ${++number}`
    const because = `${name}: has more than ${MOST_BYTES} bytes, the limit of one item; send a smaller image, or a file`
    const item =
      line.kind === 'tooLong'
        ? { name, content: { kind: 'none' as const, because } }
        : parseMessage(line.text, name, name, true)
    if ((await offer(item)) === undefined) return
  }
}

const frames = async (input: Readable, shape: Omit<Frame, 'pixels'>, { offer }: FeedParts): Promise<void> => {
  const size = shape.width * shape.height * shape.channels
  const pieces = splitFrames(input, size)
  for (let number = 0; ; number++) {
    const { value, done } = await pieces.next()
    const name = `frame ${number}`
    if (!done) {
      const frame = { ...shape, pixels: value }
      if ((await offer({ name, content: { kind: 'frame', frame } })) === undefined) return
      continue
    }
    const because = `${name}: ended after ${value} of ${size} bytes; check size= and pixels=`
    if (value > 0) await offer({ name, content: { kind: 'none', because } })
    return
  }
}
