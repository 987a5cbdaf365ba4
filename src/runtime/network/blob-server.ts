import { type FileHandle, open } from 'node:fs/promises'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Stream } from '@libp2p/interface'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { BlobAnswerSchema, type BlobRequest, BlobRequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import { sleepUntil } from '../sleep-until.ts'
import { BLOB_MESSAGE_LIMIT, PIECE, RANGE } from './blob-protocol.ts'
import type { BlobStore } from './blob-store.ts'
import { isBlockHash } from './disk-blob-store.ts'
import { createMessagePort, type MessagePort } from './message-port.ts'
import type { PeerSession } from './peer-session.ts'
import { sendPieces } from './send-pieces.ts'

export interface BlobServerParts {
  readonly store: BlobStore
  readonly clock: Clock
}

/** Answers range after range on one stream until the peer closes it. @throws when the stream ends otherwise */
export const serveBlobs = async (
  stream: Stream,
  session: PeerSession,
  { store, clock }: BlobServerParts,
  heard: () => void
): Promise<void> => {
  const port = createMessagePort(stream, heard)
  let file: { readonly hash: string; readonly handle: FileHandle; readonly size: number } | undefined
  try {
    for (;;) {
      const request = fromBinary(BlobRequestSchema, await port.read(BLOB_MESSAGE_LIMIT))
      if (file?.hash !== request.sha256) {
        await file?.handle.close()
        file = await openBlob(store, request.sha256)
      }
      const refused = file === undefined ? 'this device does not hold it' : refusal(request, file.size)
      if (refused !== undefined || file === undefined) {
        await answer(port, { error: refused ?? '' })
        continue
      }
      await answer(port, { length: request.length, total: BigInt(file.size) })
      await sendRange(stream, session, file.handle, request, clock)
    }
  } finally {
    await file?.handle.close()
  }
}

const answer = (port: MessagePort, init: { error?: string; length?: bigint; total?: bigint }): Promise<void> =>
  port.write(toBinary(BlobAnswerSchema, create(BlobAnswerSchema, init)))

const openBlob = async (store: BlobStore, hash: string) => {
  const path = isBlockHash(hash) ? await store.find(hash) : undefined
  if (path === undefined) return undefined
  const handle = await open(path, 'r')
  return { hash, handle, size: (await handle.stat()).size }
}

const refusal = ({ offset, length }: BlobRequest, size: number): string | undefined => {
  if (length > BigInt(RANGE)) return `a range of ${length} B, the limit is ${RANGE} B`
  if (offset + length > BigInt(size)) return `bytes up to ${offset + length} of a block of ${size} B`
  return undefined
}

/** Shaped piece by piece with the tasks on the same link, whose latency is waited once: a range is one answer. */
const sendRange = async (
  stream: Stream,
  { shaper, meter }: PeerSession,
  file: FileHandle,
  { offset, length }: BlobRequest,
  clock: Clock
): Promise<void> => {
  const ended = new AbortController()
  const onClose = (): void => ended.abort(new Error('the stream was closed'))
  stream.addEventListener('close', onClose)
  try {
    const shaping = (): LinkShaper | undefined => {
      const link = shaper()
      return link?.sparesBlocks === true ? undefined : link
    }
    const latency: Seconds = shaping()?.latency ?? seconds(0)
    await sleepUntil(clock, seconds(clock.now() + latency), ended.signal)
    for (let at = 0; at < Number(length); at += PIECE) {
      const piece = new Uint8Array(Math.min(PIECE, Number(length) - at))
      const { bytesRead } = await file.read(piece, 0, piece.byteLength, Number(offset) + at)
      if (bytesRead !== piece.byteLength) throw new Error('the block became shorter while it was read')
      const link = shaping()
      if (link !== undefined) {
        const { starts, departs } = await link.pass(piece.byteLength)
        meter.taken(seconds(departs - starts))
        await link.until(departs, ended.signal)
      }
      await sendPieces(stream, [piece], PIECE)
      meter.sent(piece.byteLength)
    }
  } finally {
    stream.removeEventListener('close', onClose)
  }
}
