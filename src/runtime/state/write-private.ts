import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { PRIVATE_FILE } from './privacy.ts'

/** For its owner only. A crash leaves the old file or the new one, never half of one. */
export const writePrivate = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${randomUUID()}`
  try {
    await writeFile(draft, text, { mode: PRIVATE_FILE, flag: 'wx' })
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}
