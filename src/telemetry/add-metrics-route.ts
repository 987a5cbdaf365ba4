import type { HttpServer } from '../serving/http/create-http-server.ts'
import type { MetricsPage } from './metrics-page.ts'

/** The page for Prometheus, for whoever may ask that server. */
export const addMetricsRoute = ({ app }: HttpServer, page: MetricsPage): void => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/metrics',
    handler: async (_, reply) => reply.type(page.contentType).send(await page.text())
  })
}
