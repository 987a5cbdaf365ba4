import { describeFileError } from '../../core/describe-file-error.ts'
import { systemErrorOf } from '../../core/system-error-of.ts'
import { UserError } from '../../core/user-error.ts'

/**
 * Do what writes into a device's state.
 * @param path the folder, for the message
 * @throws UserError where the disk refuses it (full, read-only, another's); whatever else `work` throws
 */
export const onStateDisk = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    const system = systemErrorOf(error)
    if (error instanceof UserError || system === undefined) throw error
    const file = system.path === undefined || system.path === path ? '' : ` (at ${system.path})`
    throw new UserError(
      `${path}: ${describeFileError(system)}${file}; make room or give leave to write there, or choose another folder`,
      { code: 'stateRefused', facts: { folder: path }, cause: error }
    )
  }
}
