import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { NetworkError } from '../ports/network.ts'
import { drained } from './drained.ts'
import { sendStraight } from './straight-writing.ts'

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
