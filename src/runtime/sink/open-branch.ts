import { dirname, resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { Branch } from './fan-out-sink.ts'
import { openLineTarget, STDOUT } from './open-line-target.ts'
import { openSink } from './open-sink.ts'
import type { SinkSpec } from './sink-spec.ts'
import { StreamSink } from './stream-sink.ts'

export interface BranchParts {
  readonly stateFolder: string
  /** As `openSink`. */
  readonly isLive?: (source: string) => boolean
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** Names what is done apart: items that another set of sinks has are done again. */
export const identityOf = (specs: readonly SinkSpec[]): string =>
  specs.map(({ path }) => (STDOUT.includes(path) ? '-' : resolve(path))).join('\n')

/** Where results that are files go: beside the first sink that is one. */
export const resultsFolderOf = (specs: readonly SinkSpec[], source: string): string => {
  const file = specs.find(({ path }) => !(STDOUT.includes(path) || path.startsWith('/dev/')))
  return `${dirname(file?.path ?? '.')}/${source}-results`
}

/** @throws UserError when it cannot be written */
export const openBranch = async (
  { path, rotation }: SinkSpec,
  { clock, say, stateFolder, isLive = () => false }: BranchParts
): Promise<Branch> => {
  const target = await openLineTarget(path).catch(error => {
    throw new UserError(`sink ${path}: ${describeFileError(error)}; give a file that can be written`)
  })
  if (target === undefined)
    return { sink: await openSink({ file: path, rotation, stateFolder, isLive, clock, say }), isKept: true }
  if (rotation !== undefined) throw new UserError(`sink ${path}: is no file that could be rotated; leave rotate out`)
  return { sink: new StreamSink({ target, clock, say, isLive }), isKept: false }
}
