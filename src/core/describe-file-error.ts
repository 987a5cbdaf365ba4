import type { SystemError } from './system-error-of.ts'

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'part of its path is a file, not a folder',
  EEXIST: 'part of its path is a file, not a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EFBIG: 'the file would become larger than is allowed',
  EIO: 'the disk reports an error',
  EMFILE: 'too many open files',
  ELOOP: 'too many symbolic links'
}

/** What the operating system said of a file, in words: "there is no such file or folder (ENOENT)". */
export const describeFileError = (error: unknown): string => {
  const { code, message, because } = error as Partial<SystemError>
  const words = code === undefined ? undefined : WORDS[code]
  if (words === undefined) return message ?? String(error)
  return because === undefined ? `${words} (${code})` : `${words} (${code}): ${because}`
}
