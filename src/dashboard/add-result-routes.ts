import { z } from 'zod'
import { Serial } from '../core/serial.ts'
import type { HttpServer } from '../serving/http/create-http-server.ts'
import { ServingError } from '../serving/serving-error.ts'
import { checkedQuery } from './checked-query.ts'
import { hasPicture, itemPicture } from './item-picture.ts'
import { PAGE_HEADERS } from './page-headers.ts'
import type { RecentResults } from './recent-results.ts'
import { shownResult } from './shown-result.ts'

const afterSchema = z.object({ after: z.coerce.number().int().min(0).default(0) })
const datumSchema = z.object({ source: z.string().min(1).max(600), datum: z.coerce.number().int().min(0) })

/** Pictures that wait for their turn. */
const MOST_WAITING = 64

/** The last data of this device's sources: of no other's, and only when they are asked for. */
export const addResultRoutes = ({ app }: HttpServer, results: RecentResults): void => {
  app.get('/api/results', (request, reply) => {
    const { after } = checkedQuery(afterSchema, request.query)
    reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-store' }).send(results.after(after).map(shownResult))
  })
  const turns = new Serial()
  let waiting = 0
  app.get('/api/results/picture', async (request, reply) => {
    const { source, datum } = checkedQuery(datumSchema, request.query)
    const item = results.itemOf(source, datum)
    if (item === undefined || !hasPicture(item))
      throw new ServingError('noSuchPath', `there is no picture of datum ${datum} any more`)
    if (waiting >= MOST_WAITING) throw new ServingError('queueFull', 'too many pictures are asked for at once')
    waiting++
    try {
      const { bytes, width, height } = await turns.run(() => itemPicture(item))
      const size = { 'picture-width': width, 'picture-height': height }
      reply.headers({ ...PAGE_HEADERS, 'cache-control': 'no-store', 'content-type': 'image/webp', ...size })
      return reply.send(bytes)
    } catch (error) {
      throw new ServingError('noSuchPath', `datum ${datum} cannot be shown: ${(error as Error).message}`)
    } finally {
      waiting--
    }
  })
}
