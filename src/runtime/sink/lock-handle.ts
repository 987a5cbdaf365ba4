import type { FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'

/** Beside the file's content, so that it is found by whatever name the file is opened; only for people. */
const HOLDER = 'user.tributary.holder'
const holderSchema = z.object({ host: z.string(), pid: z.int() })

/** What a file system says that keeps no locks (some network and user-space file systems). */
const NO_LOCKS = ['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL']

/** Windows keeps others from reading what is locked: there it is one byte far behind what is ever written. */
const RANGE: readonly [offset: number, length: number] = process.platform === 'win32' ? [2 ** 50, 1] : [0, 0]

export type Locked = { readonly kind: 'locked' } | { readonly kind: 'noLocks'; readonly because: string }

/**
 * Hold the file behind `handle`, which is open for writing, until the handle is closed or the process ends, however it
 * ends. It is the kernel's lock on the file itself: other names of it (links), other containers on the same kernel, other handles
 * of this process and, where the file system keeps locks between machines, other machines are kept out.
 * @param what the flag and file that are locked, for the message
 * @returns 'noLocks' where nothing can be held: a second writer is not kept out there
 * @throws UserError when somebody else holds it, and who, where that is known
 */
export const lockHandle = async (handle: FileHandle, what: string): Promise<Locked> => {
  const native = await load()
  if ('because' in native) return { kind: 'noLocks', because: native.because }
  const { tryLock, setAttrSync } = native
  try {
    if (!tryLock(handle.fd, ...RANGE))
      throw new UserError(`${what}: is used by ${holderOf(native, handle.fd)}; stop it, or give another`, {
        code: 'inUse'
      })
  } catch (error) {
    if (!NO_LOCKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return { kind: 'noLocks', because: `its file system keeps no locks (${(error as NodeJS.ErrnoException).code})` }
  }
  try {
    setAttrSync(handle.fd, HOLDER, JSON.stringify({ host: hostname(), pid: process.pid }))
  } catch {} // a file system without attributes: it is held all the same, only by nobody in particular
  return { kind: 'locked' }
}

type Native = typeof import('fs-native-extensions')

/** There is a binary for the machines that ONNX Runtime runs on; others go without. */
const load = async (): Promise<Native | { readonly because: string }> => {
  try {
    return await import('fs-native-extensions')
  } catch (error) {
    return {
      because: `there are no locks for this machine (${process.platform}-${process.arch}: ${describeFileError(error).split('\n')[0]})`
    }
  }
}

const holderOf = ({ getAttrSync }: Native, fd: number): string => {
  try {
    const { host, pid } = holderSchema.parse(JSON.parse(String(getAttrSync(fd, HOLDER))))
    return host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`
  } catch {
    return 'another process'
  }
}
