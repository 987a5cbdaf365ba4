import { dirname, resolve } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import type { Sink } from '../ports/sink.ts'
import { type Branch, fanOutSink } from './fan-out-sink.ts'
import { openLineTarget, STDOUT } from './open-line-target.ts'
import { openSink } from './open-sink.ts'
import type { SinkSpec } from './sink-spec.ts'
import { StreamSink } from './stream-sink.ts'

export interface SinksOptions {
  readonly specs: readonly SinkSpec[]
  /** Ids by name, of the sources that there are. */
  readonly sources: ReadonlyMap<string, string>
  readonly stateFolder: string
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
}

/** @throws UserError when one cannot be written, or names a source that is none; none is open then */
export const openSinks = async (options: SinksOptions): Promise<Sink> => {
  const { specs, sources } = options
  for (const spec of specs) checkSources(spec, sources)
  refuseTwice(specs)
  const branches: Branch[] = []
  try {
    for (const spec of specs) branches.push(await openBranch(spec, options))
  } catch (error) {
    await Promise.allSettled(branches.map(({ sink }) => sink.stop()))
    throw error
  }
  const [only] = branches
  return only !== undefined && branches.length === 1 && only.sources === undefined ? only.sink : fanOutSink(branches)
}

/** Names what is done apart: items that another set of sinks has are done again. */
export const identityOf = (specs: readonly SinkSpec[]): string =>
  specs.map(({ path }) => (STDOUT.includes(path) ? '-' : resolve(path))).join('\n')

/** Where results that are files go: beside the first sink that is one. */
export const resultsFolderOf = (specs: readonly SinkSpec[], source: string): string => {
  const file = specs.find(({ path }) => !(STDOUT.includes(path) || path.startsWith('/dev/')))
  return `${dirname(file?.path ?? '.')}/${source}-results`
}

const openBranch = async (spec: SinkSpec, options: SinksOptions): Promise<Branch> => {
  const { path, rotation } = spec
  const { clock, say, stateFolder } = options
  const sources = spec.sources === undefined ? undefined : new Set(spec.sources.map(name => options.sources.get(name)!))
  const target = await openLineTarget(path).catch(error => {
    throw new UserError(`sink ${path}: ${describeFileError(error)}; give a file that can be written`)
  })
  if (target === undefined)
    return { sink: await openSink({ file: path, rotation, stateFolder, clock, say }), isKept: true, sources }
  if (rotation !== undefined) throw new UserError(`sink ${path}: is no file that could be rotated; leave rotate out`)
  return { sink: new StreamSink({ target, clock, say }), isKept: false, sources }
}

const checkSources = ({ text, sources = [] }: SinkSpec, known: SinksOptions['sources']): void => {
  const names = [...known.keys()]
  for (const name of sources) {
    if (known.has(name)) continue
    const near = nearest(name, names)
    throw new UserError(
      `sink "${text}": sources: there is no source "${name}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${names.join(', ')})`
    )
  }
}

const refuseTwice = (specs: readonly SinkSpec[]): void => {
  const seen = new Set<string>()
  for (const spec of specs) {
    const identity = identityOf([spec])
    if (seen.has(identity)) throw new UserError(`sink ${spec.path}: is given twice; keep one`)
    seen.add(identity)
  }
}
