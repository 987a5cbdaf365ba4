import { loadSharp } from '../../runtime/io/load-sharp.ts'
import { runProgram } from '../run-program.ts'
import type { Finding } from './finding.ts'

/** What reads images and videos is needed where a source has some, and nowhere else. @param sources as flags have them */
export const checkMedia = async (sources: readonly string[]): Promise<readonly Finding[]> => {
  const hasVideo = sources.some(source => /^[^=]*=video:/.test(source))
  const hasFiles = sources.some(source => /^[^=]*=(?:dir|watch|video|stdin):/.test(source))
  return [await findSharp(hasFiles), await findFfmpeg(hasVideo)]
}

const findSharp = async (isNeeded: boolean): Promise<Finding> => {
  const check = 'sharp'
  try {
    const { versions } = await loadSharp('reading images')
    return { check, state: 'ok', found: `version ${versions.sharp} reads images` }
  } catch {
    const remedy = 'npm install --ignore-scripts sharp'
    if (isNeeded) return { check, state: 'todo', found: 'is not installed, and sources of images need it', remedy }
    return { check, state: 'note', found: 'is not installed; only sources of images need it', remedy }
  }
}

const findFfmpeg = async (isNeeded: boolean): Promise<Finding> => {
  const check = 'ffmpeg'
  const { code, stdout } = await runProgram(['ffmpeg', '-version']).catch(() => ({ code: 1, stdout: '' }))
  if (code === 0) return { check, state: 'ok', found: `version ${stdout.split(' ')[2] ?? '?'}` }
  const remedy = 'install it (Debian: apt-get install ffmpeg; macOS: brew install ffmpeg)'
  if (isNeeded) return { check, state: 'todo', found: 'is not there, and a video source needs it', remedy }
  return { check, state: 'note', found: 'is not there; only video sources need it', remedy }
}
