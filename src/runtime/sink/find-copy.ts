import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecentBytes } from './recent-bytes.ts'
import { readAt } from './sink-file.ts'

/** So many bytes at its end tell a copy from any other file. */
const TELLING = 64 * 1024

/**
 * How much of a file that was cut there is in its copy, by whoever copied and cut it: the size of the file beside it that
 * ends with what was written at that place. What was written between the copying and the cutting is in neither.
 * @returns undefined where there is none beside it
 */
export const findCopy = async (folder: string, inode: string, recent: RecentBytes): Promise<number | undefined> => {
  let largest: number | undefined
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(folder, entry.name)
    try {
      const stats = await stat(path, { bigint: true })
      const size = Number(stats.size)
      if (String(stats.ino) === inode || size <= (largest ?? recent.start) || size > recent.end) continue
      const from = Math.max(recent.start, size - TELLING)
      await using handle = await open(path, 'r')
      const tail = await readAt(handle, from, size - from)
      if (Buffer.compare(tail, recent.slice(from, size)!) === 0) largest = size
    } catch {} // gone since, or not for us to read
  }
  return largest
}
