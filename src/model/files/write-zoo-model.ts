import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { UserError } from '../../core/user-error.ts'
import { zooBytes } from '../zoo/zoo-bytes.ts'
import type { ZooGraph } from '../zoo/zoo-graph.ts'

export interface WrittenModel {
  readonly sha256: string
  readonly bytes: number
}

export interface WriteOptions {
  readonly seed: number
  /** Called now and then with the bytes written so far and in the end. */
  readonly progress?: ((done: number, total: number) => void) | undefined
}

/**
 * Write the model with weights from the seed: same graph and seed, same bytes. The file appears under its name when it
 * is whole, and replaces one that was there.
 * @throws UserError when the file cannot be written
 */
export const writeZooModel = async (graph: ZooGraph, file: string, options: WriteOptions): Promise<WrittenModel> => {
  try {
    // A pipe or a device such as /dev/null is written to, not replaced.
    const special = await stat(file).catch(() => undefined)
    if (special !== undefined && !special.isFile() && !special.isDirectory()) return await write(graph, file, options)
    return await writeWhole(graph, file, options)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UserError(`out ${file}: ${REMEDY[code] ?? message}`)
  }
}

const writeWhole = async (graph: ZooGraph, file: string, options: WriteOptions): Promise<WrittenModel> => {
  const partial = `${file}.${process.pid}.partial`
  try {
    const written = await write(graph, partial, options)
    await rename(partial, file)
    return written
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {}) // why it failed matters more
    throw error
  }
}

const REMEDY: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist; make it first',
  ENOTDIR: 'part of this path is a file, not a folder',
  EISDIR: 'this is a folder; name a file in it',
  EACCES: 'no permission to write there; choose another place',
  EPERM: 'no permission to write there; choose another place',
  EROFS: 'this file system is read-only; choose another place',
  ENOSPC: 'no space left there; make room or choose another place'
}

const write = async (graph: ZooGraph, path: string, { seed, progress }: WriteOptions): Promise<WrittenModel> => {
  const { length, pieces } = zooBytes(graph, seed)
  const hash = createHash('sha256')
  const handle = await open(path, 'w')
  try {
    let done = 0
    for (const piece of pieces) {
      hash.update(piece)
      await writeAll(handle, piece)
      done += piece.length
      progress?.(done, length)
    }
    return { sha256: hash.digest('hex'), bytes: done }
  } finally {
    await handle.close()
  }
}

/** A write may take less than it was given, on a disk that fills up. */
const writeAll = async (handle: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten
}
