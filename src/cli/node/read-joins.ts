import { readFile, stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { sayOpen } from '../../node/cluster-secret.ts'
import { isInvite } from '../../runtime/network/invite.ts'
import { hideArguments } from '../hide-arguments.ts'

/** Holds what `--join` does, for services and containers: arguments can be read by every user of the machine. */
export const JOIN_VARIABLE = 'TRIBUTARY_JOIN'

export interface JoinSources {
  /** Of --join; "-" asks for it. */
  readonly join: readonly string[]
  /** Of --join-file. */
  readonly joinFiles: readonly string[]
  readonly say: (text: string, level?: 'warn') => void
}

/**
 * Invites and addresses from wherever the user put them: flags, files, standard input; the environment where there are
 * none of these. An invite among the arguments is hidden from the list of processes, and the environment's from children.
 * @throws UserError when a file cannot be read, or nothing is where an invite should be
 */
export const readJoins = async ({ join, joinFiles, say }: JoinSources): Promise<readonly string[]> => {
  if (join.some(isInvite)) hideArguments()
  if (join.some(text => text.trim() === ''))
    throw new UserError('--join is empty: where it is the output of tributary invite, see what that says')
  const inherited = wordsOf(process.env[JOIN_VARIABLE] ?? '')
  delete process.env[JOIN_VARIABLE]
  if (join.filter(text => text === '-').length > 1) throw new UserError('--join - is given twice; once is enough')
  const given = await Promise.all(join.map(async text => (text === '-' ? [await ask()] : [text])))
  const filed = await Promise.all(joinFiles.map(file => readJoinFile(file, say)))
  const named = [...given, ...filed].flat()
  return named.length > 0 ? named : inherited
}

const MAX_FILE_BYTES = 64 * 1024

const readJoinFile = async (file: string, say: (text: string, level?: 'warn') => void): Promise<readonly string[]> => {
  let text: string
  try {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) throw new Error(`has ${size} B, more than ${MAX_FILE_BYTES}; it should hold an invite`)
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new UserError(`--join-file ${file}: ${describeFileError(error)}`)
  }
  const words = wordsOf(text)
  if (words.length === 0)
    throw new UserError(`--join-file ${file}: is empty; write into it what tributary invite prints on a member`)
  if (words.some(isInvite)) await sayOpen(file, say)
  return words
}

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter(word => word !== '')

/** One line of standard input; from a terminal it is not shown. */
const ask = async (): Promise<string> => {
  const { stdin, stderr } = process
  const isTerminal = stdin.isTTY === true
  if (isTerminal) stderr.write('Invite (what tributary invite prints on a member; it is not shown): ')
  const mute = new Writable({ write: (_chunk, _encoding, written) => written() })
  const lines = createInterface({ input: stdin, output: mute, terminal: isTerminal })
  try {
    const line = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () => reject(new UserError('--join -: no invite was given')))
      lines.once('close', () => resolve(''))
    })
    if (line.trim() === '') throw new UserError('--join -: no invite was given; paste what tributary invite prints')
    return line.trim()
  } finally {
    lines.close()
    if (isTerminal) stderr.write('\n')
  }
}
