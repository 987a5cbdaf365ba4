import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { Item } from './data-port.ts'

/**
 * The files of a folder, in name order (by code unit, the same on every machine); not those of folders in it, nor
 * hidden ones.
 * @param suffixes files that differ only in these endings are one item, named without them
 * @throws UserError when there is no such folder, or no file in it
 */
export const listItems = async (folder: string, suffixes: readonly string[] = []): Promise<readonly Item[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(error => {
    throw new UserError(`--source dir:${folder}: ${describeFileError(error)}`)
  })
  const names: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, entry.name)))))
      names.push(entry.name)
  }
  if (names.length === 0)
    throw new UserError(`--source dir:${folder}: there is no file in it; put the source's items there`)
  const items = new Set(names.map(name => withoutSuffix(name, suffixes)))
  return [...items].sort().map(name => ({ name, path: join(folder, name) }))
}

/** A link that leads nowhere stays an item: it is reported when it is read. */
const leadsToFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch {
    return true
  }
}

const withoutSuffix = (name: string, suffixes: readonly string[]): string => {
  const own = suffixes.filter(suffix => name.endsWith(suffix) && name.length > suffix.length)
  const longest = own.sort((a, b) => b.length - a.length)[0]
  return longest === undefined ? name : name.slice(0, -longest.length)
}
