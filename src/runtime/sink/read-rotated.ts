import type { BigIntStats } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Seconds } from '../../core/units.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'
import { recoverSink } from './recover-sink.ts'
import { readAt } from './sink-file.ts'

/**
 * The lines of a sink that was renamed after its process had died: what was on the disk and not in the record yet. Nothing
 * where it is no longer in the folder, or has none.
 */
export const readRotated = (folder: string, inode: string, found: (entry: SinkEntry) => void): Promise<void> =>
  readSinks(folder, (_, { ino }) => String(ino) === inode, found)

/** Times of files are no finer than that everywhere. */
const GRAIN_MS = 1000n

/**
 * The same of one that was copied and then cut: its copies are beside it, under names that begin with its own, and are no
 * older than the record, which was not written since.
 * @param since when the record was written, on the clock of files
 */
export const readCopies = (
  sink: string,
  inode: string,
  since: Seconds,
  found: (entry: SinkEntry) => void
): Promise<void> => {
  if (since === Number.POSITIVE_INFINITY) return Promise.resolve()
  const earliest = BigInt(Math.floor(since * 1000)) - GRAIN_MS
  const isCopy = (name: string, { ino, mtimeMs }: BigIntStats): boolean =>
    name.startsWith(basename(sink)) && String(ino) !== inode && mtimeMs >= earliest
  return readSinks(dirname(sink), isCopy, found)
}

const readSinks = async (
  folder: string,
  isOne: (name: string, stats: BigIntStats) => boolean,
  found: (entry: SinkEntry) => void
): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(folder, entry.name)
    try {
      const stats = await stat(path, { bigint: true })
      if (!isOne(entry.name, stats)) continue
      await using handle = await open(path, 'r')
      const lines: SinkEntry[] = []
      const range = { from: 0, size: Number(stats.size), isOurs: true }
      await recoverSink({ read: (at, length) => readAt(handle, at, length) }, range, line => lines.push(line))
      for (const line of lines) found(line)
    } catch {} // gone since, or somebody else's: an inode is used again
  }
}
