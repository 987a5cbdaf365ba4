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
  const size = sizeOf(pieces)
  if (size <= chunk) return size === 0 ? undefined : hand(stream, pieces, size)
  let batch: Uint8Array[] = []
  let filled = 0
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; ) {
      const part = piece.subarray(at, at + chunk - filled)
      batch.push(part)
      filled += part.byteLength
      at += part.byteLength
      if (filled < chunk) continue
      await hand(stream, batch, filled)
      batch = []
      filled = 0
    }
  }
  if (filled > 0) await hand(stream, batch, filled)
}

const sizeOf = (pieces: readonly Uint8Array[]): number => {
  let sum = 0
  for (const { byteLength } of pieces) sum += byteLength
  return sum
}

const hand = (stream: Stream, pieces: readonly Uint8Array[], size: number): Promise<void> | undefined => {
  if (stream.writeStatus !== 'writable') throw new NetworkError(`the stream is ${stream.status}`)
  const taken = sendStraight(stream, pieces, size)
  if (taken !== undefined) return taken
  return stream.send(new Uint8ArrayList(...pieces)) ? undefined : drained(stream)
}
