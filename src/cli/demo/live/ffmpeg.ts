import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { UserError } from '../../../core/user-error.ts'

const run = promisify(execFile)

/** Run the system's ffmpeg to its end. @throws UserError with its last words */
export const ffmpeg = async (args: readonly string[], signal: AbortSignal): Promise<void> => {
  try {
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], { signal })
  } catch (error) {
    if (signal.aborted) throw error
    const { stderr = '', message } = error as Error & { stderr?: string }
    throw new UserError(`ffmpeg: ${stderr.trim().split('\n').at(-1) || message}`)
  }
}
