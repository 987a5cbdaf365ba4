import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BufferPool } from '../../core/buffer-pool.ts'
import { withPackages } from '../../core/with-packages.ts'
import { sharedBuffer } from '../../runtime/shared-buffer.ts'
import type { Answered } from '../answered.ts'
import { BoundedConnections } from '../bounded-connections.ts'
import { ByteBudget } from '../byte-budget.ts'
import { createTokenCheck } from '../check-token.ts'
import { asServingError, ServingError } from '../serving-error.ts'
import type { ServingLimits } from '../serving-limits.ts'
import { BODIES_AT_ONCE } from '../serving-limits.ts'
import { type Body, readBody } from './read-body.ts'
import { refuseOtherSites } from './refuse-other-sites.ts'

export interface HttpServerOptions {
  readonly token: string | undefined
  /** In PEM; undefined: it is not encrypted. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly limits: ServingLimits
  /** Paths that are answered without a token. @default those of health, and of DeepStack */
  readonly openPaths?: RegExp
  readonly answered?: Answered | undefined
  /** Of an unexpected error. */
  readonly say: (text: string, level?: 'warn') => void
}

/** A server without routes, and what routes are made with. */
export interface HttpServer {
  readonly app: FastifyInstance
  /** @param authorization as its header would have it @throws ServingError */
  readonly checkToken: (authorization: string | undefined) => void
  /** @throws ServingError */
  readonly body: (request: FastifyRequest) => Promise<Body>
  /** Ends at once what is open. */
  stop(): Promise<void>
}

/** Paths that whoever looks after a machine asks without a token, and those that have a key elsewhere than in a header. */
const OPEN_WHILE_SERVING = /^\/(?:v2\/health|v1\/vision|v1\/server\/status)\//

/** A content type that is none counts as no content type: the framework would refuse it. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/
const NO_ROUTE = 'none'

/**
 * What all routes have in common: no content type is asked for, since real clients send none; who may ask; limits; errors as JSON.
 * @throws UserError `packageMissing`
 */
export const createHttpServer = async ({
  token,
  tls,
  limits,
  say,
  answered,
  openPaths = OPEN_WHILE_SERVING
}: HttpServerOptions): Promise<HttpServer> => {
  const { fastify } = await withPackages('Serving over HTTP', ['fastify'], () => import('fastify'))
  const app = fastify({
    ...{ bodyLimit: Number.MAX_SAFE_INTEGER, routerOptions: { maxParamLength: 300 }, exposeHeadRoutes: false },
    ...{ keepAliveTimeout: limits.idle, requestTimeout: limits.request, forceCloseConnections: true },
    http: { headersTimeout: limits.headers, connectionsCheckingInterval: 1000 },
    ...(tls === undefined
      ? {}
      : { https: { ...tls, headersTimeout: limits.headers, connectionsCheckingInterval: 1000 } })
  } as object) as unknown as FastifyInstance
  const connections = new BoundedConnections(limits.connections)
  const server = app.server as Server
  server.on('connection', socket => connections.add(socket))
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const end = connections.begin(request.socket)
    response.once('close', end)
  })
  const checkToken = createTokenCheck(token)
  const ownName = hostname()
  // Hooks that wait for nothing are told so: a promise for each is not made.
  app.addHook('onRequest', (request, _reply, done) => {
    refuseOtherSites({ headers: request.headers, hasToken: token !== undefined, ownName })
    if (!openPaths.test(request.url)) checkToken(request.headers.authorization)
    if (!MEDIA_TYPE.test(request.headers['content-type'] ?? '')) delete request.raw.headers['content-type']
    done()
  })
  if (answered !== undefined)
    app.addHook('onResponse', ({ routeOptions }, { statusCode }, done) => {
      answered(routeOptions.url ?? NO_ROUTE, statusCode)
      done()
    })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setNotFoundHandler((request, reply) =>
    sendError(
      reply,
      new ServingError('noSuchPath', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`)
    )
  )
  app.setErrorHandler((error, _request, reply) => {
    const known = knownError(error)
    if (known.problem === 'internal') say(`an answer over HTTP failed: ${known.message}`, 'warn')
    return sendError(reply, known)
  })
  const budget = new ByteBudget(BODIES_AT_ONCE * limits.body)
  const buffers = new BufferPool(sharedBuffer)
  return {
    app,
    checkToken,
    body: request => readBody(request.raw, { most: limits.body, silence: limits.silence, budget, buffers }),
    stop: async () => {
      connections.destroyAll()
      await app.close()
    }
  }
}

/** The framework's own errors are the client's, by their status. */
const knownError = (error: unknown): ServingError => {
  const status = (error as { readonly statusCode?: number }).statusCode ?? 500
  if (!(error instanceof ServingError) && status >= 400 && status < 500)
    return new ServingError('badRequest', (error as Error).message)
  return asServingError(error)
}

export const sendError = (reply: FastifyReply, error: ServingError): FastifyReply => {
  if (error.retryAfter !== undefined) void reply.header('retry-after', String(error.retryAfter))
  if (error.problem === 'badToken') void reply.header('www-authenticate', 'Bearer')
  // What of the request has not been read is not read any more.
  if (error.problem === 'tooLarge' || error.problem === 'tooSlow') void reply.header('connection', 'close')
  return reply.code(error.httpStatus).send({ error: error.message })
}
