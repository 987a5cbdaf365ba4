import { readFile } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { ServingFlags } from './node-options.ts'

export interface ServingSecrets {
  readonly token: string | undefined
  /** In PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

/** What the files say that whoever serves, or shows a page, is to ask for and to show. @throws UserError */
export const servingSecrets = async ({
  tokenFile,
  tlsCert,
  tlsKey
}: Pick<ServingFlags, 'tokenFile' | 'tlsCert' | 'tlsKey'>): Promise<ServingSecrets> => {
  const token = tokenFile === undefined ? undefined : await tokenIn(tokenFile)
  const cert = tlsCert === undefined ? undefined : await textOf('--serve-tls-cert', tlsCert)
  const key = tlsKey === undefined ? undefined : await textOf('--serve-tls-key', tlsKey)
  return { token, tls: cert === undefined || key === undefined ? undefined : { cert, key } }
}

/** Somebody edits it by hand: the end of its line is no part of it. */
const tokenIn = async (file: string): Promise<string> => {
  const token = (await textOf('--serve-token-file', file)).trim()
  if (token.length >= 8 && token.length <= 4096 && /^[\x21-\x7e]+$/.test(token)) return token
  throw new UserError(
    `--serve-token-file ${file}: a token is 8 to 4096 characters without spaces; \`openssl rand -hex 32\` makes one`
  )
}

const textOf = async (flag: string, file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UserError(`${flag} ${file}: ${describeFileError(error)}`)
  }
}
