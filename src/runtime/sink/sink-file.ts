import { constants, type FileHandle, mkdir, open, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Locked, lockHandle } from './lock-handle.ts'

export interface Sight {
  /** The path still leads to this file; not after it was renamed, deleted or replaced. */
  readonly isHere: boolean
  /** Bytes in this file, wherever it is. */
  readonly size: number
}

/** A regular file as a sink needs it: what is appended and synced stays, unless others change it; `look` tells. */
export interface SinkFile {
  /** Bytes in the file when it was opened. */
  readonly size: number
  /** Which file it is, by whatever name. */
  readonly inode: string
  readonly folder: SinkFolder
  /** Until it is closed. @throws UserError when somebody else holds it */
  lock(what: string): Promise<Locked>
  /** What has become of it. */
  look(): Promise<Sight>
  /** From `position` on, in pieces; fewer bytes than asked for only at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  /** All of `data` at the end of the file, wherever that is by now, or it rejects and any part of it may be there. */
  append(data: Uint8Array): Promise<void>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Where a sink's file is, links followed. */
interface SinkFolder {
  readonly path: string
  /** The file system that its own is mounted on; undefined for the root's. */
  readonly below: bigint | undefined
}

/**
 * @param earlier what the path led to before: then its folder is not made, and must be on a file system that is mounted
 * @param mode of a file that is made. @default what the process's mask leaves
 */
export type OpenSinkFile = (path: string, earlier?: SinkFile, mode?: number) => Promise<SinkFile>

/** Opened for reading and appending, made (with its folder) when it is not there. @throws as the operating system says */
export const openSinkFile: OpenSinkFile = async (path, earlier, mode) => {
  if (earlier === undefined) await mkdir(dirname(path), { recursive: true })
  else await checkMounted(earlier.folder)
  // A FIFO would wait for its other end without O_NONBLOCK; for regular files it changes nothing.
  const { O_RDWR, O_CREAT, O_APPEND, O_NONBLOCK = 0 } = constants
  const handle = await open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, mode)
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) throw new Error('is not a regular file, so results could not be kept in it')
    await syncFolder(dirname(path))
    const folder = await folderOf(path)
    return {
      size: Number(stats.size),
      inode: String(stats.ino),
      folder: folder.path === earlier?.folder.path ? earlier.folder : folder,
      lock: what => lockHandle(handle, what),
      look: () => look(handle, path),
      read: (position, length) => readAt(handle, position, length),
      append: data => append(handle, data),
      truncate: length => handle.truncate(length),
      sync: () => handle.datasync(),
      close: () => handle.close()
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const folderOf = async (path: string): Promise<SinkFolder> => {
  const folder = dirname(await realpath(path))
  const { dev } = await stat(folder, { bigint: true })
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const below = await stat(dirname(at), { bigint: true })
    if (below.dev !== dev) return { path: folder, below: below.dev }
  }
  return { path: folder, below: undefined }
}

/** A file that is made where nothing is mounted is hidden as soon as something is. */
const checkMounted = async ({ path, below }: SinkFolder): Promise<void> => {
  const { dev } = await stat(path, { bigint: true })
  if (dev === below) throw new Error(`the file system of ${path} is not mounted`)
}

const look = async (handle: FileHandle, path: string): Promise<Sight> => {
  const own = await handle.stat({ bigint: true })
  const named = await stat(path, { bigint: true }).catch(error => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  return { isHere: named?.ino === own.ino && named.dev === own.dev, size: Number(own.size) }
}

/** From `position` on; fewer bytes than asked for only at the end. */
export const readAt = async (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const append = async (handle: FileHandle, data: Uint8Array): Promise<void> => {
  for (let done = 0; done < data.byteLength; ) {
    const { bytesWritten } = await handle.write(data, done, data.byteLength - done)
    done += bytesWritten
  }
}

/** So that a new file's name survives a power cut too; where a folder cannot be synced (Windows), nothing is lost by trying. */
const syncFolder = async (folder: string): Promise<void> => {
  try {
    await using handle = await open(folder, 'r')
    await handle.sync()
  } catch {}
}
