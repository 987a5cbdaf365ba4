import { constants, type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A regular file as a sink needs it: what is written and synced stays. */
export interface SinkFile {
  /** Bytes in the file when it was opened. */
  readonly size: number
  /** From `position` on, in pieces; fewer bytes than asked for only at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  /** All of `data`, or it rejects and any part of it may be there. */
  write(data: Uint8Array, position: number): Promise<void>
  truncate(length: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export type OpenSinkFile = (path: string) => Promise<SinkFile>

/** Opened for reading and writing, made (with its folder) when it is not there. @throws as the operating system says */
export const openSinkFile: OpenSinkFile = async path => {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('is not a regular file, so results could not be kept in it')
    await syncFolder(dirname(path))
    return {
      size: stats.size,
      read: (position, length) => read(handle, position, length),
      write: (data, position) => write(handle, data, position),
      truncate: length => handle.truncate(length),
      sync: () => handle.datasync(),
      close: () => handle.close()
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const read = async (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const write = async (handle: FileHandle, data: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < data.byteLength; ) {
    const { bytesWritten } = await handle.write(data, done, data.byteLength - done, position + done)
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
