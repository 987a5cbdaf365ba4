import { constants, type FileHandle, open } from 'node:fs/promises'
import { UserError } from '../../core/user-error.ts'
import { type FilePath, shownPath } from './file-path.ts'
import { fileUnavailable } from './file-unavailable.ts'

/**
 * All bytes of a regular file. What is none (a FIFO, a socket, a device, a folder) is not waited for, whatever its name.
 * @throws ItemUnavailable while it is absent or unreadable, UserError when it is larger than `limit`, said as `limitText`
 */
export const readRegularFile = async (path: FilePath, limit: number, limitText: string): Promise<Buffer> => {
  let size: number
  try {
    await using file = await openRegular(path)
    size = (await file.stat()).size
    if (size <= limit) return await file.readFile()
  } catch (error) {
    throw fileUnavailable(path, error)
  }
  throw new UserError(`${shownPath(path)}: is larger than ${limitText}`)
}

const openRegular = async (path: FilePath): Promise<FileHandle> => {
  // Without O_NONBLOCK a FIFO waits for somebody who writes, and holds a thread while it does.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  const isFile = await file.stat().then(
    stats => stats.isFile(),
    () => true // the read says what is wrong
  )
  if (isFile) return file
  await file.close()
  throw new Error('is not a regular file')
}
