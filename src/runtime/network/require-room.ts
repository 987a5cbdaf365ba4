import { statfs } from 'node:fs/promises'
import { formatBytes } from '../../core/format-quantity.ts'
import { type Bytes, bytes } from '../../core/units.ts'

/** Of a disk, so much stays free whatever comes from others: logs, results and the rest of the machine need it. */
const RESERVED_SHARE = 0.05
const MOST_RESERVED = 2 ** 30

/** What is free on the disk of a folder, and how large that disk is. */
export type DiskRoom = (folder: string) => Promise<{ readonly free: Bytes; readonly total: Bytes }>

const roomOf: DiskRoom = async folder => {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { free: bytes(bavail * bsize), total: bytes(blocks * bsize) }
}

interface Left {
  /** That others may take. */
  readonly room: Bytes
  /** For people. */
  readonly because: string
}

const leftOn = async (folder: string, room: DiskRoom): Promise<Left> => {
  const { free, total } = await room(folder)
  const reserved = bytes(Math.min(MOST_RESERVED, RESERVED_SHARE * total))
  return {
    // A file system that does not say how large it is says nothing of its room either.
    room: bytes(total === 0 ? Number.POSITIVE_INFINITY : Math.max(0, free - reserved)),
    because: `${formatBytes(free)} are free there, and ${formatBytes(reserved)} stay free`
  }
}

/** How much more may be taken of the disk. */
export const freeRoom = async (folder: string, room: DiskRoom = roomOf): Promise<Bytes> =>
  (await leftOn(folder, room)).room

/** @throws as the operating system does where the disk is full (ENOSPC), when so many bytes more would take of what stays free */
export const requireRoom = async (folder: string, size: Bytes, room: DiskRoom = roomOf): Promise<void> => {
  const left = await leftOn(folder, room)
  if (size <= left.room) return
  const because = `${formatBytes(size)} more do not fit: ${left.because}`
  throw Object.assign(new Error(because), { code: 'ENOSPC', syscall: 'statfs', path: folder, because })
}
