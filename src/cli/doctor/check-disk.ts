import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { describeFileError } from '../../core/describe-file-error.ts'
import { formatBytes } from '../../core/format-quantity.ts'
import type { Finding } from './finding.ts'

/** Blocks, and records of what is done, are kept there. */
const LEAST_FREE = 256 * 2 ** 20

/** @param path the state folder; where it is not there yet, the disk on which it would be */
export const checkDisk = async (path: string): Promise<Finding> => {
  const check = 'disk'
  const place = await nearestThere(resolve(path))
  try {
    await access(place, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(place)
    const free = bavail * bsize
    const found = `${formatBytes(free)} free for ${path}`
    if (free >= LEAST_FREE) return { check, state: 'ok', found }
    return {
      check,
      state: 'todo',
      found,
      remedy: `make room for blocks (${formatBytes(LEAST_FREE)} at least), or put the state elsewhere (--state DIR)`
    }
  } catch (error) {
    return {
      check,
      state: 'todo',
      found: `${place}: ${describeFileError(error)}`,
      remedy: 'let this user write there, or put the state elsewhere (--state DIR)'
    }
  }
}

const nearestThere = async (path: string): Promise<string> => {
  const there = await access(path).then(
    () => true,
    error => error.code !== 'ENOENT'
  )
  return there || dirname(path) === path ? path : nearestThere(dirname(path))
}
