import { stat } from 'node:fs/promises'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { DataPort } from '../ports/data-port.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import type { FileItem } from './file-item.ts'

/** So many items are tried, the first ones and some from all over the folder, before it is said that none fits. */
const FIRST = 20
const SPREAD = 80
/** A file that was changed so lately may still be written: that it cannot be read says nothing. */
const FRESH: Seconds = seconds(10)

export interface MisfitParts {
  readonly port: Pick<DataPort, 'read'>
  readonly items: readonly FileItem[]
  /** What makes tensors of files, as messages call it: `preset imagenet`. */
  readonly origin: string
  readonly folder: string
  /** Since 1970, as the times of files. */
  readonly now: Seconds
}

/**
 * Where no file of a folder is what the preset reads, that is one refusal at the start, not one line for each file.
 * @throws UserError when every item that was tried is there, is whole, and cannot be read
 */
export const refuseMisfits = async ({ port, items, origin, folder, now }: MisfitParts): Promise<void> => {
  const tried = sampleOf(items)
  let first: string | undefined
  for (const item of tried) {
    const because = await whyUnreadable(port, item)
    if (because === undefined || (await mayBeUnfinished(item, now))) return
    first ??= because
  }
  if (first === undefined) return
  const which =
    tried.length === items.length
      ? `none of its ${items.length} files`
      : `none of ${tried.length} of its ${items.length} files that were tried`
  throw new UserError(
    `source dir:${folder}: ${origin} fits ${which}, the first: ${first}; name the folder of the right files, or choose another preset or io file`
  )
}

const sampleOf = (items: readonly FileItem[]): readonly FileItem[] => {
  if (items.length <= FIRST + SPREAD) return items
  const rest = items.slice(FIRST)
  const spread = Array.from({ length: SPREAD }, (_, i) => rest[Math.floor((i * rest.length) / SPREAD)]!)
  return [...items.slice(0, FIRST), ...spread]
}

const whyUnreadable = async (port: MisfitParts['port'], item: FileItem): Promise<string | undefined> => {
  try {
    await port.read(item)
    return undefined
  } catch (error) {
    // What is away now says nothing; what else went wrong will be said when its turn comes.
    if (!(error instanceof UserError) || error instanceof ItemUnavailable) return undefined
    return error.message
  }
}

/** It is not there, is empty, or has just been changed. Of an item of several files nothing is known. */
const mayBeUnfinished = async ({ path }: FileItem, now: Seconds): Promise<boolean> => {
  try {
    const { size, mtimeMs } = await stat(path)
    return size === 0 || now - mtimeMs / 1000 < FRESH
  } catch {
    return true
  }
}
