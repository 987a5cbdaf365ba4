import { z } from 'zod'
import { ServingError } from '../serving/serving-error.ts'

/** What stands behind the question mark. @throws ServingError that says what is wrong with it */
export const checkedQuery = <T>(schema: z.ZodType<T>, query: unknown): T => {
  const read = schema.safeParse(query)
  if (!read.success) throw new ServingError('badRequest', z.prettifyError(read.error))
  return read.data
}
