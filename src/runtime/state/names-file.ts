import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorOf } from '../../core/system-error-of.ts'
import type { KeptNames } from '../ports/kept-names.ts'
import { onStateDisk } from './on-state-disk.ts'

/** What names of models mean, in a file of a folder of the state. A crash leaves the old file or the new one. */
export const namesFile = (folder: string, name = 'names.json'): KeptNames => {
  const file = join(folder, name)
  return {
    readNames: async () => {
      const text = await readFile(file, 'utf8').catch(error => {
        if (systemErrorOf(error)?.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? undefined : JSON.parse(text)
    },
    writeNames: names =>
      onStateDisk(folder, async () => {
        await writeFile(`${file}.part`, JSON.stringify(names))
        await rename(`${file}.part`, file)
      })
  }
}
