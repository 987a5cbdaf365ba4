import { systemErrorOf } from '../../core/system-error-of.ts'

/** What the operating system says of a name, not of its disk: it says the same the next time. */
const LASTING: ReadonlySet<string> = new Set(['ENAMETOOLONG', 'EINVAL', 'EILSEQ'])

/** Whether what could not be written may be written later: the disk was full, read-only, away. An error of the program stays. */
export const mayPass = (error: unknown): boolean => {
  const system = systemErrorOf(error)
  return system !== undefined && !LASTING.has(system.code)
}
