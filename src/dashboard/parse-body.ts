import type { z } from 'zod'
import { describeIssue } from '../core/describe-issue.ts'
import { ServingError } from '../serving/serving-error.ts'

/** What a page sent, as the schema has it. @throws ServingError `badRequest` with what is wrong */
export const parseBody = <T>(bytes: Uint8Array, schema: z.ZodType<T>): T => {
  const written = parseJson(Buffer.from(bytes).toString())
  const parsed = schema.safeParse(written)
  if (parsed.success) return parsed.data
  throw new ServingError(
    'badRequest',
    parsed.error.issues.map(issue => describeIssue(issue, { knownKeys: () => [], written })).join('; ')
  )
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ServingError('badRequest', `the body is not JSON: ${(error as Error).message}`)
  }
}
