import { UserError } from '../../core/user-error.ts'
import { SOURCE_KINDS, SOURCE_OPTIONS } from '../../runtime/io/source-spec.ts'
import { SINK_OPTIONS } from '../../runtime/sink/sink-spec.ts'

/** How an entry of a repeatable flag may be written as a mapping, instead of the one word of the command line. */
export interface EntryForm {
  readonly keys: readonly string[]
  /** The same as on the command line. @throws UserError when something is missing */
  readonly word: (fields: ReadonlyMap<string, string>) => string
}

const sourceWord = (fields: ReadonlyMap<string, string>): string => {
  const kinds = SOURCE_KINDS.filter(kind => fields.has(kind))
  if (!fields.has('name')) throw new UserError('a source needs a name')
  if (kinds.length !== 1)
    throw new UserError(
      `source "${fields.get('name')}" needs one of ${SOURCE_KINDS.join(', ')}; it has ${kinds.length}`
    )
  const options = SOURCE_OPTIONS.filter(key => fields.has(key)).map(key => `,${key}=${fields.get(key)}`)
  return `${fields.get('name')}=${kinds[0]}:${fields.get(kinds[0]!)}${options.join('')}`
}

const modelWord = (fields: ReadonlyMap<string, string>): string => {
  if (!fields.has('file')) throw new UserError('a model needs a file')
  return fields.has('name') ? `${fields.get('file')}:${fields.get('name')}` : fields.get('file')!
}

const sinkWord = (fields: ReadonlyMap<string, string>): string => {
  if (!fields.has('to')) throw new UserError('a sink needs "to": a file, or - for standard output')
  const options = SINK_OPTIONS.filter(key => fields.has(key)).map(key => `,${key}=${fields.get(key)}`)
  return `${fields.get('to')}${options.join('')}`
}

/** By flag. Of all others a mapping is one "key=value" for each of its lines. */
export const ENTRY_FORMS: Readonly<Record<string, EntryForm>> = {
  source: { keys: ['name', ...SOURCE_KINDS, ...SOURCE_OPTIONS], word: sourceWord },
  sink: { keys: ['to', ...SINK_OPTIONS], word: sinkWord },
  model: { keys: ['file', 'name'], word: modelWord }
}
