import { readdir } from 'node:fs/promises'
import { describeFileError } from '../core/describe-file-error.ts'
import { UserError } from '../core/user-error.ts'

/** @throws UserError `badModelsFolder` where it is no folder that can be read */
export const requireModelsFolder = async (folder: string): Promise<void> => {
  try {
    await readdir(folder)
  } catch (error) {
    throw new UserError(`the folder of models ${folder}: ${describeFileError(error)}`, {
      code: 'badModelsFolder',
      facts: { folder }
    })
  }
}
