import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { UserError } from '../../../core/user-error.ts'

const run = promisify(execFile)

/** Run the system's ffmpeg to its end. @throws UserError where there is none, or with its last words */
export const ffmpeg = async (args: readonly string[], signal: AbortSignal): Promise<void> => {
  try {
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args], { signal })
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string }
    if (signal.aborted) throw error
    if (code === 'ENOENT')
      throw new UserError(
        'the live demo needs ffmpeg, which was not found; install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg), ' +
          'or run the demo without --live'
      )
    throw new UserError(`ffmpeg: ${stderr?.trim().split('\n').at(-1) ?? message}`)
  }
}
