import type { FastifyRequest } from 'fastify'

/** What whoever asks follows its request as. */
export const traceparentOf = ({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined => {
  const { traceparent } = headers
  return typeof traceparent === 'string' ? traceparent : undefined
}
