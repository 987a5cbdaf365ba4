import { readFile } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { MADE_BY } from './unit-text.ts'

/**
 * Leaves alone what somebody else wrote in a unit's place.
 * @returns whether there is one of ours
 * @throws UserError where there is another, or it cannot be read
 */
export const refuseForeign = async (file: string): Promise<boolean> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new UserError(`${file}: ${describeFileError(error)}`, { code: 'unitRefused', facts: { file }, cause: error })
  }
  if (text.startsWith(MADE_BY)) return true
  throw new UserError(`${file} was not made by tributary service install, and stays as it is: move it away first`, {
    code: 'unitForeign',
    facts: { file }
  })
}
