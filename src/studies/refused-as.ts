import { UserError } from '../core/user-error.ts'

/** Do something; what it refuses without a code of its own has this one. */
export const refusedAs = async <T>(
  { code, facts }: Required<Pick<UserError, 'code' | 'facts'>>,
  work: () => T | Promise<T>
): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'invalid') throw error
    throw new UserError(error.message, { code, facts, cause: error })
  }
}
