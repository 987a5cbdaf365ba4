import { z } from 'zod'
import type { HttpServer } from '../serving/http/create-http-server.ts'
import { checkedQuery } from './checked-query.ts'
import { PAGE_HEADERS } from './page-headers.ts'
import type { StepFeed } from './step-feed.ts'

const afterSchema = z.object({ after: z.coerce.number().int().min(0).default(0) })

/** What all devices did lately for data. */
export const addStepRoutes = ({ app }: HttpServer, feed: StepFeed): void => {
  app.get('/api/steps', async (request, reply) => {
    const { after } = checkedQuery(afterSchema, request.query)
    const told = await feed.after(after)
    return reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-store' }).send(told)
  })
}
