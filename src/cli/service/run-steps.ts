import { UserError } from '../../core/user-error.ts'
import { runProgram } from '../run-program.ts'

/** A command, and whether the rest goes on where it fails. */
export interface Step {
  readonly command: readonly string[]
  readonly mayFail?: boolean
}

/** One after another. @throws UserError with the words of the one that failed */
export const runSteps = async (steps: readonly Step[]): Promise<void> => {
  for (const { command, mayFail } of steps) {
    const { code, stderr, stdout } = await runProgram(command).catch(withRemedy)
    if (code === 0 || mayFail === true) continue
    const words = `${stderr}\n${stdout}`
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
    throw new UserError(`${command.join(' ')} ended with ${code}: ${words.join(' ') || 'it says nothing'}`, {
      code: 'stepFailed',
      facts: { command: command.join(' '), exit: code }
    })
  }
}

const withRemedy = (error: unknown): never => {
  if (!(error instanceof UserError) || error.code !== 'programMissing') throw error
  throw new UserError(
    `${error.message}: a service needs systemd; where there is none, let what starts programs there run: tributary node`,
    { code: 'systemdMissing', facts: error.facts, cause: error }
  )
}
