import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { describeIssue } from '../core/describe-issue.ts'
import type { HttpServer } from '../serving/http/create-http-server.ts'
import { ServingError } from '../serving/serving-error.ts'

/** Of what a page asks with. */
const MOST_BYTES = 64 * 1024

/** @throws ServingError `tooLarge` before it is taken into memory, `badRequest` with what is wrong */
export const readJson = async <T>(server: HttpServer, request: FastifyRequest, schema: z.ZodType<T>): Promise<T> => {
  if (Number(request.headers['content-length'] ?? Number.NaN) <= MOST_BYTES) {
    using body = await server.body(request)
    const written = parseJson(Buffer.from(body.bytes).toString())
    const parsed = schema.safeParse(written)
    if (parsed.success) return parsed.data
    throw new ServingError(
      'badRequest',
      parsed.error.issues.map(issue => describeIssue(issue, { knownKeys: () => [], written })).join('; ')
    )
  }
  throw new ServingError('tooLarge', `the body must say its length, of at most ${MOST_BYTES} bytes`)
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ServingError('badRequest', `the body is not JSON: ${(error as Error).message}`)
  }
}
