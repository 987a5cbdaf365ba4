import { z } from 'zod'
import { describeIssue } from '../core/describe-issue.ts'
import { UserError } from '../core/user-error.ts'

/**
 * Options of a program, checked before anything is done with them.
 * @param what is called, for the message
 * @throws UserError `badOption` with the first that is wrong, and what it may be
 */
export const checked = <S extends z.ZodObject>(schema: S, options: unknown, what: string): z.output<S> => {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const knownKeys = (): readonly string[] => Object.keys(schema.shape)
  throw new UserError(`${what}: ${describeIssue(issue, { knownKeys, written: options })}`, {
    code: 'badOption',
    facts: { option: issue.code === 'unrecognized_keys' ? issue.keys[0]! : issue.path.map(String).join('.') }
  })
}

/** One or several. */
export const oneOrMore = <T extends z.ZodType>(one: T) =>
  z.union([one.transform(value => [value]), z.array(one)]) as unknown as z.ZodType<z.output<T>[]>

/** Seconds, bytes, rates: a number, or text with a unit. */
export const quantity = <T extends number>(parse: (text: string) => T, example: string) =>
  z
    .union([z.number().min(0).finite(), z.string()], { error: `must be a number, or text like "${example}"` })
    .transform((value, context): T => {
      if (typeof value === 'number') return value as T
      try {
        return parse(value)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })
