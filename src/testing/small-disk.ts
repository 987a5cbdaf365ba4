import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own, which can really be full. */
export interface SmallDisk extends Disposable {
  readonly folder: string
  /** Until not one byte has room. */
  fill(): void
  /** There is room again. */
  free(): void
}

const mount = (folder: string, kibibytes: number): boolean =>
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tributary-test', folder], { stdio: 'ignore' })
    .status === 0
const unmount = (folder: string): void => void spawnSync('umount', ['-l', folder], { stdio: 'ignore' })

/** Whether this process may mount one; says so where it may not. */
export const maySmallDisk = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mount-'))
  const isMounted = mount(folder, 64)
  if (isMounted) unmount(folder)
  else console.info('skipped: what needs a disk that is full; mounting one is not permitted (run as root on Linux)')
  return isMounted
}

/** The caller disposes of it. @param kibibytes a multiple of 4 */
export const createSmallDisk = (kibibytes: number): SmallDisk => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-disk-'))
  if (!mount(folder, kibibytes)) throw new Error(`nothing can be mounted at ${folder}`)
  const ballast = join(folder, '.ballast')
  return {
    folder,
    fill: () => {
      const file = openSync(ballast, 'a')
      try {
        for (;;) writeSync(file, Buffer.alloc(4096))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]: () => unmount(folder)
  }
}
