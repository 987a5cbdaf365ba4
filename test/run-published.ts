import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../scripts/published.mjs', import.meta.url))

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As `npm run bench:published` runs it. */
export const runPublished = (...words: string[]): Promise<Ran> =>
  new Promise(resolve => {
    execFile(process.execPath, [SCRIPT, ...words], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })
