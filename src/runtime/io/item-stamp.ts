import { stat } from 'node:fs/promises'
import { type Seconds, seconds } from '../../core/units.ts'
import type { FilePath } from './file-path.ts'
import { FileUnavailable } from './file-unavailable.ts'

/** What the files of an item look like from outside. */
export interface ItemStamp {
  /** While it is the same, they have most likely not changed: their sizes, times and numbers. */
  readonly id: string
  /** When the last of them was changed, as wall time says there. */
  readonly modified: Seconds
  /** Nothing of it will change: what is wrong with it stays so. @default false */
  readonly isFinal?: boolean
}

/** @throws FileUnavailable where one is absent */
export const itemStamp = async (paths: readonly FilePath[]): Promise<ItemStamp> => {
  const stamps = await Promise.all(paths.map(stampOf))
  return {
    id: stamps.map(({ id }) => id).join(' '),
    modified: seconds(Math.max(...stamps.map(({ modified }) => modified)))
  }
}

const stampOf = async (path: FilePath): Promise<ItemStamp> => {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true })
    return { id: `${size}:${mtimeNs}:${ino}`, modified: seconds(Number(mtimeNs) / 1e9) }
  } catch (error) {
    throw FileUnavailable.of(path, error)
  }
}
