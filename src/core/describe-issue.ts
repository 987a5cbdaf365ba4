import type { z } from 'zod'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

export interface IssueContext {
  /** The keys that may stand at a place. */
  readonly knownKeys: (path: Path) => readonly string[]
  /** What was written: values and names are then told beside the field. */
  readonly written?: unknown
  /** Words that people use for known keys. */
  readonly synonyms?: Readonly<Record<string, string>>
}

/**
 * One line for one thing that is wrong with what a user wrote: the field and what is the matter; for an unknown key the
 * nearest known one.
 */
export const describeIssue = (issue: Issue, context: IssueContext): string => {
  const field = fieldOf(issue.path, context.written)
  const prefix = field === '' ? '' : `${field}: `
  if (issue.code === 'unrecognized_keys') return `${prefix}${unknownKey(issue.keys[0]!, issue.path, context)}`
  if (isMissing(issue, context)) return `${field} is missing`
  if (issue.code === 'invalid_union') {
    const inner = tellingIssue(issue, context)
    if (inner !== undefined) return describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, context)
  }
  return `${prefix}${inWords(issue)}${butIs(issue, context)}`
}

const unknownKey = (key: string, path: Path, { knownKeys, synonyms = {} }: IssueContext): string => {
  const known = knownKeys(path)
  if (known.includes(key)) return `key "${key}" does not go with the others that stand there`
  const meant = Object.hasOwn(synonyms, key.toLowerCase()) ? synonyms[key.toLowerCase()]! : ''
  const near = known.includes(meant) ? meant : nearest(key, known)
  return `unknown key "${key}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.join(', ')})`
}

const OWN_WORDS: Readonly<Record<string, string>> = {
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be a mapping, lines of "key: value"',
  record: 'must be a mapping, lines of "key: value"'
}

/** A message that the schema gives itself stays as it is. */
const DEFAULT_MESSAGE = /^(Invalid (input|option|value)|Too (small|big)|Unrecognized key)/

const inWords = (issue: Issue): string => {
  if (!DEFAULT_MESSAGE.test(issue.message)) return issue.message
  const isText = 'origin' in issue && issue.origin === 'string'
  switch (issue.code) {
    case 'invalid_type':
      return OWN_WORDS[issue.expected] ?? issue.message
    case 'too_small':
      if (issue.origin === 'array')
        return `needs at least ${issue.minimum} ${issue.minimum === 1 ? 'entry' : 'entries'}`
      if (isText) return 'must not be empty'
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
    case 'too_big':
      if (issue.origin === 'array') return `takes at most ${issue.maximum} entries`
      return isText ? `must have at most ${issue.maximum} characters` : `must be at most ${issue.maximum}`
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    default:
      return issue.message
  }
}

/** The value, where the words before do not tell it. */
const butIs = (issue: Issue, { written }: IssueContext): string => {
  if (!['invalid_type', 'too_small', 'too_big', 'invalid_value'].includes(issue.code)) return ''
  const value = valueAt(written, issue.path)
  if (value === null) return ', and nothing stands there'
  return typeof value === 'object' || value === undefined || value === '' ? '' : `, not ${JSON.stringify(value)}`
}

const isMissing = (issue: Issue, { written }: IssueContext): boolean => {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return issue.path.length > 0
  const mayLack = issue.code === 'invalid_union' || issue.code === 'invalid_value'
  return mayLack && written !== undefined && valueAt(written, issue.path) === undefined
}

/**
 * Of a union, what is wrong with the form that is nearest to what was written; undefined where the union itself says
 * best what it takes: nothing is near, or several forms only lack something.
 */
const tellingIssue = (issue: Issue & { readonly code: 'invalid_union' }, context: IssueContext): Issue | undefined => {
  const isOwnWord = issue.message !== 'Invalid input'
  const branches = issue.errors.filter(branch => branch.length > 0).map(branch => ({ branch, off: farOff(branch) }))
  const least = branches.reduce((a, { off }) => Math.min(a, off), Number.POSITIVE_INFINITY)
  const nearBranches = branches.filter(({ off }) => off === least)
  const lacks = (i: Issue): boolean => isMissing({ ...i, path: [...issue.path, ...i.path] }, context)
  const onlyLack = nearBranches.length > 1 && nearBranches.every(({ branch }) => branch.every(lacks))
  if (isOwnWord && (least >= WRONG_FORM || onlyLack)) return undefined
  const nearest = nearBranches[0]?.branch
  return nearest?.find(({ code }) => code === 'unrecognized_keys') ?? nearest?.[0]
}

const WRONG_FORM = 100

/** A wrong value in a right place is nearer to what was meant than a wrong key. */
const farOff = (branch: readonly Issue[]): number =>
  branch.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + 2 * issue.keys.length
    if (issue.path.length === 0) return sum + (issue.code === 'custom' ? 1 : WRONG_FORM)
    return sum + (issue.code === 'invalid_type' && issue.message.endsWith('received undefined') ? 2 : 1)
  }, 0)

const valueAt = (written: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], written)

/** "links.pairs[0].from (porch->shed)": for the entries of a list, what they are called or between whom or when they are. */
const fieldOf = (path: Path, written: unknown): string => {
  const text = path.map((p, i) => (typeof p === 'number' ? `[${p}]` : `${i === 0 ? '' : '.'}${String(p)}`)).join('')
  const entry = path.findIndex(p => typeof p === 'number')
  const label = entry === -1 ? undefined : labelOf(valueAt(written, path.slice(0, entry + 1)))
  return label === undefined ? text : `${text} (${label})`
}

const labelOf = (entry: unknown): string | undefined => {
  if (typeof entry !== 'object' || entry === null) return undefined
  const { name, from, to, at } = entry as Record<string, unknown>
  if (typeof name === 'string') return name
  if (typeof from === 'string' && typeof to === 'string') return `${from}->${to}`
  return typeof at === 'string' ? `at ${at}` : undefined
}
