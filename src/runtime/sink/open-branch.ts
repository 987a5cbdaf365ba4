import { dirname, resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { Branch } from './fan-out-sink.ts'
import { openLineTarget, STDOUT } from './open-line-target.ts'
import { openSink } from './open-sink.ts'
import type { LinesSpec, SinkSpec } from './sink-spec.ts'
import { StreamSink } from './stream-sink.ts'

export interface BranchParts {
  readonly stateFolder: string
  /** As `openSink`. */
  readonly isLive?: (source: string) => boolean
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** Names what is done apart: items that another set of sinks has are done again. */
export const identityOf = (specs: readonly SinkSpec[]): string => specs.map(placeOf).join('\n')

/** Where it leads to, however it is written: options and passwords aside. */
const placeOf = (spec: SinkSpec): string => {
  if (spec.kind !== 'lines') return `${spec.kind} ${spec.url.protocol}//${spec.url.host}${spec.url.pathname}`
  return STDOUT.includes(spec.path) ? '-' : resolve(spec.path)
}

/** Where results that are files go: beside the first sink that is one. */
export const resultsFolderOf = (specs: readonly SinkSpec[], source: string): string => {
  const files = specs.flatMap(spec => (spec.kind === 'lines' ? [spec.path] : []))
  const file = files.find(path => !(STDOUT.includes(path) || path.startsWith('/dev/')))
  return `${dirname(file ?? '.')}/${source}-results`
}

/** @throws UserError when it cannot be written */
export const openBranch = async (spec: SinkSpec, parts: BranchParts): Promise<Branch> => {
  if (spec.kind === 'lines') return openLines(spec, parts)
  const { openDelivery } = await import('./deliver/open-delivery.ts')
  return { sink: await openDelivery(spec, placeOf(spec), parts), isKept: true }
}

const openLines = async (
  { path, rotation }: LinesSpec,
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
