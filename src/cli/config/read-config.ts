import { readFile, stat } from 'node:fs/promises'
import type { Option } from 'commander'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { type Config, parseConfig } from './parse-config.ts'

/** It is written by people: more than this is something else. */
const MOST_BYTES = 2 ** 20

/** @param options the flags that it may hold @throws UserError with file, line, key and remedy */
export const readConfig = async (file: string, options: readonly Option[]): Promise<Config> =>
  parseConfig(await textOf(file), file, options)

const textOf = async (file: string): Promise<string> => {
  try {
    const { size } = await stat(file)
    if (size > MOST_BYTES) throw new UserError(`--config ${file}: ${size} bytes; a config has at most ${MOST_BYTES}`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`--config ${file}: ${describeFileError(error)}`)
  }
}
