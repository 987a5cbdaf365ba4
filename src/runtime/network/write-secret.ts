import { randomUUID } from 'node:crypto'
import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../state/privacy.ts'

/**
 * Write a file that only its owner may read, whole or not at all.
 * @returns false, changing nothing, when the file exists already
 */
export const writeSecret = async (file: string, bytes: Uint8Array | string): Promise<boolean> => {
  await mkdir(dirname(file), { recursive: true, mode: PRIVATE_FOLDER })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, bytes, { mode: PRIVATE_FILE, flag: 'wx', flush: true })
  try {
    await link(draft, file) // unlike rename, fails when two processes make the file at once
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}
