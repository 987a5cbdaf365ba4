import { execFile } from 'node:child_process'
import { UserError } from '../core/user-error.ts'

export interface ProgramAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const MOST_OUTPUT = 1 << 20
/** Milliseconds. systemd stops a device for half a minute at most. */
const PATIENCE = 90_000

/** Run a program of the system to its end. @throws UserError where it is not there */
export const runProgram = ([program, ...args]: readonly string[]): Promise<ProgramAnswer> =>
  new Promise((resolve, reject) => {
    execFile(program!, args, { maxBuffer: MOST_OUTPUT, timeout: PATIENCE }, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr })
      const { code } = error
      if (typeof code === 'number') return resolve({ code, stdout, stderr })
      const why = code === 'ENOENT' ? 'is not there' : `could not be run (${code ?? error.signal ?? error.message})`
      reject(new UserError(`${program} ${why}`, { code: 'programMissing', facts: { program: program! }, cause: error }))
    })
  })
