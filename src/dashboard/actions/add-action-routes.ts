import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { deviceId } from '../../core/ids.ts'
import type { HttpServer } from '../../serving/http/create-http-server.ts'
import { ServingError } from '../../serving/serving-error.ts'
import { readJson } from '../read-json.ts'
import { ACTION_SCHEMAS } from './action-schemas.ts'
import type { DashboardActions, NoActions, SourceActions } from './dashboard-actions.ts'

export interface ActionRouteParts {
  readonly actions: DashboardActions | NoActions
  /** Who asked for what, and what came of it. */
  readonly say: (text: string, level?: 'warn') => void
}

interface Route<T> {
  readonly schema: z.ZodType<T>
  /** For the log: never what is secret. */
  readonly words: (asked: T, actions: DashboardActions) => string
  readonly act: (actions: DashboardActions, asked: T) => unknown
}

const route = <T>(parts: Route<T>): Route<T> => parts

const ROUTES = {
  drain: route({
    schema: ACTION_SCHEMAS.drain,
    words: ({ device }, actions) => `drain ${actions.nameOf(deviceId(device))}`,
    act: (actions, { device }) => actions.drain(deviceId(device))
  }),
  'add-source': route({
    schema: ACTION_SCHEMAS['add-source'],
    words: () => 'add a source',
    act: async (actions, { config }) => ({ added: await sourcesOf(actions).add(config) })
  }),
  'remove-source': route({
    schema: ACTION_SCHEMAS['remove-source'],
    words: asked => `remove source ${asked.name}`,
    act: (actions, asked) => sourcesOf(actions).remove(asked.name)
  }),
  weight: route({
    schema: ACTION_SCHEMAS.weight,
    words: asked => `give source ${asked.name} the weight ${asked.weight}`,
    act: (actions, asked) => sourcesOf(actions).setWeight(asked.name, asked.weight)
  }),
  invite: route({
    schema: ACTION_SCHEMAS.invite,
    words: () => 'show the invite',
    act: async actions => {
      const { renderSVG } = await import('uqr')
      const invite = actions.invite()
      return { invite, picture: renderSVG(invite, { ecc: 'L', border: 2 }) }
    }
  })
} as const

const sourcesOf = ({ sources }: DashboardActions): SourceActions => {
  if (sources !== undefined) return sources
  throw new ServingError('unsupported', 'this node only looks: ask one that computes to have sources')
}

/**
 * POST /api/actions/NAME, with the token and from this page alone: the server has seen to both (createHttpServer). Where no
 * token is asked for, nothing is done for anybody. Each is in the log.
 */
export const addActionRoutes = (server: HttpServer, { actions, say }: ActionRouteParts): void => {
  for (const [path, one] of Object.entries(ROUTES)) {
    server.app.post(`/api/actions/${path}`, async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      if ('because' in actions) throw new ServingError('notAllowed', actions.because)
      return act(server, request, { actions, say, one: one as Route<unknown> })
    })
  }
}

const act = async (
  server: HttpServer,
  request: FastifyRequest,
  { actions, say, one }: { actions: DashboardActions; say: ActionRouteParts['say']; one: Route<unknown> }
): Promise<unknown> => {
  const asked = await readJson(server, request, one.schema)
  const words = `asked on the page, from ${request.ip}, to ${one.words(asked, actions)}`
  try {
    const answer = await one.act(actions, asked)
    say(`${words}: done`)
    return answer ?? {}
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    say(`${words}: refused, ${because}`, 'warn')
    throw error instanceof ServingError ? error : new ServingError('badRequest', because)
  }
}
