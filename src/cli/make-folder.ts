import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * With its parents; one that is there is left as it is. Node's own `recursive` does not end where a file system has a folder
 * and will not have another in it, as /proc.
 * @throws what the file system says
 */
export const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await isFolder(folder))) return
    const parent = dirname(folder)
    if (code !== 'ENOENT' || parent === folder || (await isFolder(parent))) throw error
    await makeFolder(parent)
    await makeFolder(folder)
  }
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
