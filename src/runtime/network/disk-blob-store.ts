import { randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import type { BlockHash } from '../../core/ids.ts'
import { type Bytes, bytes } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { nodeHash } from '../node-hash.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../state/privacy.ts'
import type { BlobStore } from './blob-store.ts'
import { freeRoom, requireRoom } from './require-room.ts'

export interface BlobStoreOptions {
  /** Made when it does not exist; used by one process at a time. */
  readonly folder: string
}

/** The bytes are not what their hash says. */
export class BlobMismatchError extends Error {
  override readonly name = 'BlobMismatchError'
}

export const isBlockHash = (text: string): text is BlockHash => /^[0-9a-f]{64}$/.test(text)

const hashOf = async (file: string): Promise<string> => {
  const hash = nodeHash.begin()
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 18 })) hash.update(piece as Uint8Array)
  return hash.end()
}

/** To the disk, not only to the operating system: after a power cut a file that has its name is whole. */
const settle = async (from: string, to: string): Promise<string> => {
  const file = await open(from, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(from, to)
  return to
}

/** @throws UserError when the folder cannot be made */
export const createBlobStore = ({ folder }: BlobStoreOptions): BlobStore => {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  } catch (error) {
    throw new UserError(`cannot make the folder ${folder} for blocks: ${describeFileError(error)}`)
  }
  /** Verified since this process began: files may have been damaged before. */
  const verified = new Map<BlockHash, Promise<boolean>>()
  const name = (hash: BlockHash, ending: string): string => {
    if (!isBlockHash(hash)) throw new Error(`"${String(hash).slice(0, 80)}" is not a SHA-256 in lower-case hex`)
    return join(folder, `${hash}.${ending}`)
  }
  const verify = async (hash: BlockHash, path: string): Promise<boolean> => {
    if ((await hashOf(path)) === hash) return true
    await rm(path, { force: true })
    return false
  }
  const find = async (hash: BlockHash): Promise<string | undefined> => {
    const path = name(hash, 'blob')
    const exists = await stat(path).then(
      entry => entry.isFile(),
      () => false
    )
    if (!exists) {
      verified.delete(hash)
      return undefined
    }
    const known = verified.get(hash) ?? verify(hash, path)
    verified.set(hash, known)
    known.catch(() => verified.delete(hash))
    return (await known) ? path : undefined
  }
  return {
    find,
    partPath: hash => name(hash, 'part'),
    requireRoom: size => requireRoom(folder, size),
    usage: async () => {
      const kept = await keptIn(folder)
      const taken = [...kept.values()].reduce((sum, size) => sum + size, 0)
      return { kept, room: bytes(taken + (await freeRoom(folder))) }
    },
    commit: async hash => {
      const part = name(hash, 'part')
      const actual = await hashOf(part)
      if (actual !== hash) {
        await rm(part, { force: true })
        throw new BlobMismatchError(`the bytes of ${part} hash to ${actual}; the part was removed`)
      }
      verified.set(hash, Promise.resolve(true))
      return settle(part, name(hash, 'blob'))
    },
    put: async (hash, chunks) => {
      const known = await find(hash)
      if (known !== undefined) return known
      await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER })
      const draft = name(hash, `${randomUUID()}.draft`)
      try {
        const actual = await write(draft, chunks)
        if (actual !== hash) throw new BlobMismatchError(`bytes that hash to ${actual} were put as ${hash}`)
        verified.set(hash, Promise.resolve(true))
        return await settle(draft, name(hash, 'blob'))
      } finally {
        await rm(draft, { force: true })
      }
    },
    remove: async hash => {
      verified.delete(hash)
      for (const ending of ['blob', 'part']) await rm(name(hash, ending), { force: true })
    }
  }
}

/** Whole ones, and what has come of others. */
const keptIn = async (folder: string): Promise<ReadonlyMap<BlockHash, Bytes>> => {
  const kept = new Map<BlockHash, Bytes>()
  for (const name of await readdir(folder)) {
    const hash = name.slice(0, 64)
    const entry = isBlockHash(hash) ? await stat(join(folder, name)).catch(() => undefined) : undefined
    if (entry !== undefined) kept.set(hash as BlockHash, bytes((kept.get(hash as BlockHash) ?? 0) + entry.size))
  }
  return kept
}

/** @returns the hash of what was written */
const write = async (path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> => {
  const hash = nodeHash.begin()
  const file: FileHandle = await open(path, 'wx', PRIVATE_FILE)
  try {
    for await (const chunk of chunks) {
      hash.update(chunk)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
  return hash.end()
}
