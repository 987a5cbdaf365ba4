import { Duplex } from 'node:stream'
import type { MessageStream } from '@libp2p/interface'
import { drained } from './drained.ts'

/** libp2p's stream as one of Node's, which TLS can be spoken through. */
export const duplexOver = (stream: MessageStream): Duplex => {
  stream.pause() // until something is asked for
  const duplex = new Duplex({
    read: () => {
      if (isThere(stream)) stream.resume()
    },
    write: (data: Uint8Array, _, written) => void send(stream, data).then(() => written(), written),
    final: ended => void stream.close().then(() => ended(), ended)
  })
  stream.addEventListener('message', ({ data }) => {
    const pieces = data instanceof Uint8Array ? [data] : data
    let wantsMore = true
    for (const piece of pieces) wantsMore = duplex.push(piece)
    if (!wantsMore && isThere(stream)) stream.pause()
  })
  stream.addEventListener('close', ({ error }) => duplex.destroy(error))
  return duplex
}

/** One that has ended can neither be paused nor resumed. */
const isThere = ({ status }: MessageStream): boolean => status === 'open' || status === 'closing'

const send = async (stream: MessageStream, data: Uint8Array): Promise<void> => {
  if (!stream.send(data)) await drained(stream)
}
