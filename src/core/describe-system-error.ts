import { describeFileError } from './describe-file-error.ts'
import type { SystemError } from './system-error-of.ts'

/** One line for what nobody on the way had words for: "mt/s/incarnation: the disk is full (ENOSPC, write)". */
export const describeSystemError = (error: SystemError): string => {
  const { code, syscall, path } = error
  const words = describeFileError(error).split('\n')[0]!.replace(` (${code})`, ` (${code}, ${syscall})`)
  return `${path === undefined ? '' : `${path}: `}${words}; see to what the operating system refuses there, and try again`
}
