import type { MessageStream, StreamCloseEvent } from '@libp2p/interface'
import { NetworkError } from '../ports/network.ts'

/**
 * Resolves when everything handed to the stream has gone to the operating system. (The stream's own `onDrain` resolves
 * at once from its second use on, libp2p 3.3, so its events are watched instead.)
 */
export const drained = (stream: MessageStream): Promise<void> =>
  new Promise((resolve, reject) => {
    const finish = (error?: Error): void => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('idle', check)
      stream.removeEventListener('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const check = (): void => {
      if (stream.status !== 'open') finish(new NetworkError(`the stream is ${stream.status}`))
      else if (!stream.writableNeedsDrain && stream.writeBufferLength === 0) finish()
    }
    // The stream sends what it still holds in a microtask that was queued before this one.
    const onDrain = (): void => queueMicrotask(check)
    const onClose = (event: StreamCloseEvent): void => finish(event.error ?? new NetworkError('the stream was closed'))
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('idle', check)
    stream.addEventListener('close', onClose)
    check()
  })
