import { randomUUID } from 'node:crypto'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PRIVATE_FILE } from './privacy.ts'

/** For its owner only. A crash leaves the old file or the new one, never half of one. */
export const writePrivate = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${randomUUID()}`
  try {
    await writeFile(draft, text, { mode: PRIVATE_FILE, flag: 'wx', flush: true })
    await rename(draft, file)
    await flushFolder(dirname(file))
  } finally {
    await rm(draft, { force: true })
  }
}

/** So that a crash does not undo the rename; not every system can do that. */
const flushFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder).catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
