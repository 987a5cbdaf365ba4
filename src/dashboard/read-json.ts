import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { HttpServer } from '../serving/http/create-http-server.ts'
import { ServingError } from '../serving/serving-error.ts'
import { parseBody } from './parse-body.ts'

/** Of what a page asks with. */
const MOST_BYTES = 64 * 1024

/** @throws ServingError `tooLarge` before it is taken into memory, `badRequest` with what is wrong */
export const readJson = async <T>(server: HttpServer, request: FastifyRequest, schema: z.ZodType<T>): Promise<T> => {
  if (Number(request.headers['content-length'] ?? Number.NaN) <= MOST_BYTES) {
    using body = await server.body(request)
    return parseBody(body.bytes, schema)
  }
  throw new ServingError('tooLarge', `the body must say its length, of at most ${MOST_BYTES} bytes`)
}
