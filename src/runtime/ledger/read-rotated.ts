import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverSink } from './recover-sink.ts'
import type { SinkEntry } from './sink-entry.ts'
import { readAt } from './sink-file.ts'

/**
 * The lines of a sink that was renamed after its process had died: what was on the disk and not in the record yet. Nothing
 * where it is no longer in the folder, or has none.
 */
export const readRotated = async (folder: string, inode: string, found: (entry: SinkEntry) => void): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(folder, entry.name)
    try {
      const { ino, size } = await stat(path, { bigint: true })
      if (String(ino) !== inode) continue
      await using handle = await open(path, 'r')
      const lines: SinkEntry[] = []
      const range = { from: 0, size: Number(size), isOurs: true }
      await recoverSink({ read: (at, length) => readAt(handle, at, length) }, range, line => lines.push(line))
      for (const line of lines) found(line)
    } catch {} // gone since, or somebody else's: an inode is used again
  }
}
