import { z } from 'zod'
import { describeIssue } from './describe-issue.ts'
import { UserError } from './user-error.ts'

/**
 * Options of a program, checked before anything is done with them.
 * @param what is called, for the message
 * @param code of the error, where what is wrong has a word of its own
 * @throws UserError `badOption`, or `code`, with the first that is wrong, and what it may be
 */
export const checkedOptions = <S extends z.ZodObject>(
  schema: S,
  options: unknown,
  what: string,
  code = 'badOption'
): z.output<S> => {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const knownKeys = (path: readonly PropertyKey[]): readonly string[] => keysAt(schema, path)
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  const words = isObject
    ? describeIssue(issue, { knownKeys, written: options })
    : `options must be an object of ${Object.keys(schema.shape).join(', ')}, not ${JSON.stringify(options)}`
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path
  throw new UserError(`${what}: ${words}`, { code, facts: { option: path.map(String).join('.') } })
}

/** What may stand in the object at a place of what a schema describes. */
const keysAt = (schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] => {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path)
  if (schema instanceof z.ZodObject) {
    const [first, ...rest] = path
    if (first === undefined) return Object.keys(schema.shape)
    const inner = schema.shape[first as string] as z.core.$ZodType | undefined
    return inner === undefined ? [] : keysAt(inner, rest)
  }
  return schema instanceof z.ZodArray ? keysAt(schema.element, path.slice(1)) : []
}
