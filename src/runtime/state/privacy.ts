import { chmod, stat } from 'node:fs/promises'

/** Of a file or folder that is only its owner's business: how it was found, `was` as `chmod` writes it. */
export type Privacy =
  | { readonly kind: 'private' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'tightened'; readonly was: string }
  /** It is not this user's, or in a file system that cannot be written. */
  | { readonly kind: 'open'; readonly was: string; readonly toAll: boolean }

const OTHERS = 0o077
const ALL = 0o007

export const PRIVATE_FILE = 0o600
export const PRIVATE_FOLDER = 0o700

/** Take from everybody but its owner what they may do with it. Windows has no such modes: all is private there. */
export const tighten = async (path: string, mode: typeof PRIVATE_FILE | typeof PRIVATE_FOLDER): Promise<Privacy> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return { kind: 'missing' }
  if (process.platform === 'win32' || (found.mode & OTHERS) === 0) return { kind: 'private' }
  const was = (found.mode & 0o7777).toString(8).padStart(4, '0')
  try {
    await chmod(path, mode)
    return { kind: 'tightened', was }
  } catch {
    return { kind: 'open', was, toAll: (found.mode & ALL) !== 0 }
  }
}
