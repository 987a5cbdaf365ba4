import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyReply } from 'fastify'
import type { HttpServer } from '../serving/http/create-http-server.ts'
import { ServingError } from '../serving/serving-error.ts'
import { PAGE_HEADERS } from './page-headers.ts'
import type { StatusChange, StatusFeed } from './status-feed.ts'

/** What a page is, without a word about the cluster: whoever reaches the port may have it. */
export const OPEN_PATHS = /^\/(?:|index\.html|page\.js|page\.css)(?:\?|$)/

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8'
} as const

/** Beside the compiled files. */
const FOLDER = join(fileURLToPath(new URL('../../page', import.meta.url)))

const MOST_VIEWERS = 32
/** Bytes that wait for a viewer who does not take them: it is let go, and comes back. */
const MOST_WAITING = 4 * 2 ** 20

/** The page at `/`, and what it asks. */
export const addDashboardRoutes = async ({ app }: HttpServer, feed: StatusFeed): Promise<void> => {
  for (const [name, type] of Object.entries(TYPES)) {
    const content = await readFile(join(FOLDER, name))
    const send = async (_: unknown, reply: FastifyReply) =>
      reply.headers({ ...PAGE_HEADERS, 'content-type': type }).send(content)
    app.get(`/${name}`, send)
    if (name === 'index.html') app.get('/', send)
  }
  app.get('/api/live', (_, reply) => {
    if (feed.viewers >= MOST_VIEWERS)
      throw new ServingError('queueFull', `${MOST_VIEWERS} pages look at this node already; close one`)
    reply.hijack()
    live(reply, feed)
  })
}

/** Server-sent events until the viewer goes. */
const live = ({ raw }: FastifyReply, feed: StatusFeed): void => {
  raw.writeHead(200, {
    ...PAGE_HEADERS,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store'
  })
  const end = feed.watch((change: StatusChange) => {
    raw.write(`data: ${JSON.stringify(change)}\n\n`)
    if (raw.writableLength > MOST_WAITING) raw.destroy()
  })
  raw.once('close', end)
}
