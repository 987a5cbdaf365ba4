import type { Stream } from '@libp2p/interface'

/** It is read again. Where its connection has closed meanwhile, that is told to whoever reads it elsewhere. */
export const resumed = (stream: Stream): void => {
  if (stream.readStatus !== 'paused') return
  try {
    stream.resume()
  } catch {
    // The other end cannot be told that there is room: it is gone.
  }
}
