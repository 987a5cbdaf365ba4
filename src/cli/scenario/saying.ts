import { UserError } from '../../core/user-error.ts'

/** What goes wrong in `work` is the user's at `where`: the message says so first. */
export const saying = async <T>(where: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${where}: ${error.message}`) : error
  }
}
