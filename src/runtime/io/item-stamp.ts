import { stat } from 'node:fs/promises'
import { seconds } from '../../core/units.ts'
import type { ItemStamp } from '../ports/item-stamp.ts'
import type { FilePath } from './file-path.ts'
import { fileUnavailable } from './file-unavailable.ts'

/** @throws ItemUnavailable where one is absent */
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
    throw fileUnavailable(path, error)
  }
}
