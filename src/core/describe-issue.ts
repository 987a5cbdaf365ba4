import type { z } from 'zod'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodIssue

/** "links.pairs[0].from" */
const fieldOf = (path: readonly PropertyKey[]): string =>
  path.map((p, i) => (typeof p === 'number' ? `[${p}]` : `${i === 0 ? '' : '.'}${String(p)}`)).join('')

/**
 * One line for one thing that is wrong with what a user wrote: the field and what is the matter; for an unknown key the
 * nearest known one.
 * @param knownKeys the keys that may stand at a place
 */
export const describeIssue = (issue: Issue, knownKeys: (path: readonly PropertyKey[]) => readonly string[]): string => {
  const field = fieldOf(issue.path)
  const prefix = field === '' ? '' : `${field}: `
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    const known = knownKeys(issue.path)
    const near = nearest(key, known)
    return `${prefix}unknown key "${key}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.join(', ')})`
  }
  if (issue.code === 'invalid_union') {
    const branches = issue.errors.flat()
    const deepest = branches.toSorted(
      (a, b) => b.path.length - a.path.length || Number(b.code === 'custom') - Number(a.code === 'custom')
    )[0]
    // A union that says itself what it takes says it better than its branches, unless one was nearly right.
    const isOwnWord = issue.message !== 'Invalid input' && (deepest === undefined || deepest.path.length === 0)
    if (deepest !== undefined && !isOwnWord)
      return describeIssue({ ...deepest, path: [...issue.path, ...deepest.path] }, knownKeys)
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `${field} is missing`
  if (issue.code === 'too_small' && issue.origin === 'number')
    return `${prefix}must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
  return `${prefix}${issue.message}`
}
