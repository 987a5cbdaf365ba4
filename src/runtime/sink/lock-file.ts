import { constants, open, stat } from 'node:fs/promises'
import { type Locked, lockHandle } from './lock-handle.ts'

export interface HeldFile extends AsyncDisposable {
  readonly lock: Locked
}

/**
 * Hold `path`, a file that is there for nothing else, until it is disposed of or the process ends. The file stays: were it
 * removed, two processes could each hold their own.
 * @param what the flag and folder that are locked, for the message
 * @throws UserError when another process holds it
 */
export const lockFile = async (path: string, what: string): Promise<HeldFile> => {
  for (;;) {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      const lock = await lockHandle(handle, what)
      const [held, named] = await Promise.all([
        handle.stat({ bigint: true }),
        stat(path, { bigint: true }).catch(() => undefined)
      ])
      if (named?.ino === held.ino && named.dev === held.dev)
        return { lock, [Symbol.asyncDispose]: () => handle.close() }
      await handle.close() // somebody removed it between the two: what is held is no file that others will find
    } catch (error) {
      await handle.close()
      throw error
    }
  }
}
