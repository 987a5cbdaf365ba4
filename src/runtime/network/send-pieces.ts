import type { Stream, StreamCloseEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { NetworkError } from '../ports/network.ts'
import { sendStraight } from './straight-writing.ts'

/**
 * Resolves when everything handed to the stream has gone to the operating system. (The stream's own `onDrain` resolves
 * at once from its second use on, libp2p 3.3, so its events are watched instead.)
 */
const drained = (stream: Stream): Promise<void> =>
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

/**
 * Send pieces back to back without copying them, at most about `chunk` bytes at a time beyond what the connection has
 * taken: what is sent on other streams meanwhile waits behind one chunk, not behind all of it.
 * @throws NetworkError when the stream ends first
 */
export const sendPieces = async (stream: Stream, pieces: readonly Uint8Array[], chunk: number): Promise<void> => {
  let batch = new Uint8ArrayList()
  const flush = async (): Promise<void> => {
    if (batch.byteLength === 0) return
    const sent = batch
    batch = new Uint8ArrayList()
    if (stream.writeStatus !== 'writable') throw new NetworkError(`the stream is ${stream.status}`)
    const taken = sendStraight(stream, [...sent], sent.byteLength)
    if (taken !== undefined) return taken
    if (!stream.send(sent)) await drained(stream)
  }
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; ) {
      const part = piece.subarray(at, at + chunk - batch.byteLength)
      batch.append(part)
      at += part.byteLength
      if (batch.byteLength >= chunk) await flush()
    }
  }
  await flush()
}
