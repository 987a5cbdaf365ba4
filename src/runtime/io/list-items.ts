import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { ItemUnavailable } from '../ports/item-unavailable.ts'
import type { FileItem } from './file-item.ts'
import { type FilePath, inFolder, shownName } from './file-path.ts'

/** So many of what is passed over are named. */
const MOST_NAMED = 5

/**
 * The files of a folder, in name order (by code unit, the same on every machine); not those of folders in it, nor
 * hidden ones, nor what is no regular file.
 * @param suffixes files that differ only in these endings are one item, named without them
 * @param say is told what is passed over, in one line
 * @param where names the folder in messages
 * @throws ItemUnavailable when there is no such folder, or no file in it
 */
export const listItems = async (
  folder: string,
  suffixes: readonly string[] = [],
  say: (text: string) => void = () => {},
  where = `source dir:${folder}`
): Promise<readonly FileItem[]> => {
  // As bytes: names need not be UTF-8, and as text two of them may look the same.
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' }).catch(error => {
    throw new ItemUnavailable(`${where}: ${describeFileError(error)}`)
  })
  const files: Buffer[] = []
  const passedOver: string[] = []
  for (const entry of entries) {
    if (entry.name[0] === DOT) continue
    const kind = entry.isFile() ? undefined : await kindOf(entry, inFolder(folder, entry.name))
    if (kind === undefined) files.push(entry.name)
    else passedOver.push(`${shownName(entry.name)} (${kind})`)
  }
  if (passedOver.length > 0) say(describePassedOver(passedOver))
  if (files.length === 0) throw new ItemUnavailable(`${where}: there is no file in it; put the source's items there`)
  const items = new Map<string, FileItem>()
  for (const name of files) {
    const own = withoutSuffix(name, suffixes)
    items.set(shownName(own), { name: shownName(own), path: inFolder(folder, own) })
  }
  return [...items.keys()].sort().map(name => items.get(name)!)
}

const DOT = 46

/** What it is that is no file; undefined for a link to one, and for a link that leads nowhere: that may come back. */
const kindOf = async (entry: Dirent<Buffer>, path: FilePath): Promise<string | undefined> => {
  if (!entry.isSymbolicLink()) return describeKind(entry)
  try {
    const target = await stat(path)
    return target.isFile() ? undefined : `leads to ${describeKind(target)}`
  } catch {
    return undefined
  }
}

type Kinds = Pick<Dirent<Buffer>, 'isDirectory' | 'isFIFO' | 'isSocket' | 'isBlockDevice' | 'isCharacterDevice'>

const describeKind = (kinds: Kinds): string => {
  if (kinds.isDirectory()) return 'a folder'
  if (kinds.isFIFO()) return 'a FIFO'
  if (kinds.isSocket()) return 'a socket'
  if (kinds.isBlockDevice() || kinds.isCharacterDevice()) return 'a device'
  return 'no regular file'
}

const describePassedOver = (names: readonly string[]): string => {
  const named = [...names].sort().slice(0, MOST_NAMED).join(', ')
  const rest = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''
  return `skipped what is no file: ${named}${rest}`
}

const withoutSuffix = (name: Buffer, suffixes: readonly string[]): Buffer => {
  const ends = suffixes.map(suffix => Buffer.from(suffix)).filter(end => end.byteLength < name.byteLength)
  const own = ends.filter(end => name.subarray(-end.byteLength).equals(end)).sort((a, b) => b.byteLength - a.byteLength)
  return own[0] === undefined ? name : name.subarray(0, -own[0].byteLength)
}
