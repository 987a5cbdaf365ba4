import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { MAIN } from '../src/testing/node-process.ts'

const run = promisify(execFile)

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** `tributary drain`, to its end. */
export const runDrain = (...flags: readonly string[]): Promise<Ended> =>
  run(process.execPath, [MAIN, 'drain', ...flags]).then(
    said => ({ code: 0, ...said }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr })
  )
