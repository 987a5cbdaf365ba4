import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Do something with a folder that is gone afterwards, whatever ends it before it is through. */
export const withScratch = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const scratch = await mkdtemp(join(tmpdir(), 'tributary-demo-'))
  const clear = (): void => rmSync(scratch, { recursive: true, force: true })
  process.once('exit', clear)
  try {
    return await work(scratch)
  } finally {
    process.off('exit', clear)
    await rm(scratch, { recursive: true, force: true })
  }
}
