import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import type { BlockHash, DeviceId } from '../../core/ids.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import { BlobAnswerSchema, BlobRequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import { NetworkError } from '../ports/network.ts'
import { sleepUntil } from '../sleep-until.ts'
import { PRIVATE_FILE } from '../state/privacy.ts'
import { BLOB_MESSAGE_LIMIT, BLOB_PROTOCOL, RANGE } from './blob-protocol.ts'
import type { BlobStore } from './blob-store.ts'
import { BlobMismatchError } from './disk-blob-store.ts'
import { createMessagePort } from './message-port.ts'
import type { PeerSession } from './peer-session.ts'

export interface BlobFetcherParts {
  readonly store: BlobStore
  readonly clock: Clock
  /** The admitted and live peer, if it is one. */
  readonly session: (peer: DeviceId) => PeerSession | undefined
  readonly heard: (peer: DeviceId) => void
  readonly say: (text: string, level?: 'warn') => void
}

/** A holder that gives no byte for so long is given up. */
const STALL: Seconds = seconds(15)
/** Of holders that did not give it: in one line. */
const MOST_TOLD = 3

interface Underway {
  readonly path: Promise<string>
  readonly stop: AbortController
  waiting: number
}

/** Our own disk refused: no other holder can help. */
class DiskError extends Error {
  override readonly name = 'DiskError'
}

/** Blobs from whichever holder gives them, in ranges, going on where an earlier attempt stopped. */
export class BlobFetcher {
  readonly #parts: BlobFetcherParts
  readonly #underway = new Map<BlockHash, Underway>()

  constructor(parts: BlobFetcherParts) {
    this.#parts = parts
  }

  /**
   * Callers that want the same blob share one fetch; it is given up when all of them have aborted.
   * @throws NetworkError when no holder gives the right bytes, Error when the disk does not take them
   */
  async fetch(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    const underway = this.#underway.get(hash) ?? this.#begin(hash, size, holders)
    underway.waiting++
    const aborted = deferred<never>()
    const onAbort = (): void => aborted.reject(signal?.reason as Error)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([underway.path, aborted.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
      if (--underway.waiting === 0) underway.stop.abort(new NetworkError('nobody waits for the block any more'))
    }
  }

  stop(): void {
    for (const { stop } of this.#underway.values()) stop.abort(new NetworkError('the network was stopped'))
  }

  #begin(hash: BlockHash, size: Bytes, holders: readonly DeviceId[]): Underway {
    const stop = new AbortController()
    const path = this.#fetch(hash, size, holders, stop.signal).finally(() => this.#underway.delete(hash))
    path.catch(() => {})
    const underway = { path, stop, waiting: 0 }
    this.#underway.set(hash, underway)
    return underway
  }

  async #fetch(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal: AbortSignal): Promise<string> {
    const { store, session, say } = this.#parts
    const known = await store.find(hash)
    if (known !== undefined) return known
    const failures: string[] = []
    for (const holder of holders) {
      const from = session(holder)
      if (from === undefined) {
        failures.push(`${holder} is not connected`)
        continue
      }
      try {
        return await this.#from(from, hash, size, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof DiskError) throw error
        const because = `${holder}: ${(error as Error).message}`
        say(`block ${hash.slice(0, 12)} was not fetched from ${because}`, 'warn')
        failures.push(because)
      }
    }
    const more = failures.length > MOST_TOLD ? `; and ${failures.length - MOST_TOLD} others` : ''
    const because =
      failures.length === 0 ? 'nobody is known to have it' : failures.slice(0, MOST_TOLD).join('; ') + more
    throw new NetworkError(`no holder gave block ${hash.slice(0, 12)}: ${because}`)
  }

  /** All that is missing from one holder. What an earlier one gave may be what is wrong, so it gets a second chance. */
  async #from(session: PeerSession, hash: BlockHash, size: Bytes, signal: AbortSignal): Promise<string> {
    const { store } = this.#parts
    const part = store.partPath(hash)
    const resumed = await partSize(part, size)
    await disk(() => store.requireRoom(bytes(size - resumed)))
    await this.#download(session, hash, size, resumed, signal)
    try {
      return await store.commit(hash)
    } catch (error) {
      if (!(error instanceof BlobMismatchError) || resumed === 0) throw error
    }
    await this.#download(session, hash, size, 0, signal)
    return store.commit(hash)
  }

  async #download(
    session: PeerSession,
    hash: BlockHash,
    size: Bytes,
    from: number,
    signal: AbortSignal
  ): Promise<void> {
    const file = await disk(() => open(this.#parts.store.partPath(hash), from === 0 ? 'w' : 'r+', PRIVATE_FILE))
    try {
      for await (const _ of this.#ranges(session, hash, size, from, file, signal)) signal.throwIfAborted()
    } finally {
      await file.close()
    }
  }

  /** Yields after each range that is on disk. */
  async *#ranges(
    session: PeerSession,
    hash: BlockHash,
    size: Bytes,
    from: number,
    file: FileHandle,
    signal: AbortSignal
  ): AsyncGenerator<void> {
    if (from >= size) return
    const { clock, heard } = this.#parts
    const stream = session.track(await session.open(BLOB_PROTOCOL))
    const abort = (): void => stream.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const port = createMessagePort(stream, () => heard(session.member.peer))
    const stalled = watch(clock, STALL, () => stream.abort(new NetworkError(`it gave nothing for ${STALL} s`)))
    try {
      for (let at = from; at < size; at += RANGE) {
        const length = Math.min(RANGE, size - at)
        const latency = session.shaper()?.latency ?? seconds(0)
        await sleepUntil(clock, seconds(clock.now() + latency), signal)
        const request = create(BlobRequestSchema, { sha256: hash, offset: BigInt(at), length: BigInt(length) })
        await port.write(toBinary(BlobRequestSchema, request))
        const answer = fromBinary(BlobAnswerSchema, await port.read(BLOB_MESSAGE_LIMIT))
        if (answer.error !== '') throw new NetworkError(answer.error.slice(0, 200))
        if (answer.length !== BigInt(length) || answer.total !== BigInt(size)) {
          throw new NetworkError(`it has ${answer.total} B where ${size} B were promised`)
        }
        let done = at
        await port.readRaw(length, async piece => {
          stalled.reset()
          await disk(() => file.write(piece, 0, piece.byteLength, done))
          done += piece.byteLength
        })
        yield
      }
      void stream.close().catch(() => {})
    } catch (error) {
      stream.abort(error as Error)
      throw error
    } finally {
      stalled.stop()
      signal.removeEventListener('abort', abort)
    }
  }
}

const partSize = async (part: string, size: Bytes): Promise<number> => {
  const have = await stat(part).then(
    entry => entry.size,
    () => 0
  )
  if (have <= size) return have
  await rm(part, { force: true })
  return 0
}

const disk = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw new DiskError(`cannot keep the block: ${(error as Error).message}`, { cause: error })
  }
}

/** Calls `onStall` when `reset` was not called for `patience`. */
const watch = (clock: Clock, patience: Seconds, onStall: () => void) => {
  const done = new AbortController()
  let last = clock.now()
  const run = async (): Promise<void> => {
    for (let left = patience; left > 0; left = seconds(last + patience - clock.now())) {
      await clock.sleep(left, { signal: done.signal })
    }
    onStall()
  }
  run().catch(() => {})
  return {
    reset: (): void => {
      last = clock.now()
    },
    stop: (): void => done.abort()
  }
}
