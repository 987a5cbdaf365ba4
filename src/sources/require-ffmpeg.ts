import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { UserError } from '../core/user-error.ts'

/** @throws UserError where there is no ffmpeg, with the line that installs it */
export const requireFfmpeg = async (command = 'ffmpeg'): Promise<void> => {
  try {
    await promisify(execFile)(command, ['-version'], { windowsHide: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw ffmpegAbsent(command)
    throw new UserError(
      `${command} cannot be run, and video sources need it: ${(error as Error).message.split('\n')[0]}`
    )
  }
}

export const ffmpegAbsent = (command: string): UserError =>
  new UserError(
    `${command} was not found, and video sources need it; install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg)`
  )
