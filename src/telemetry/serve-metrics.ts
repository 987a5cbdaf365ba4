import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endpointText } from '../runtime/endpoint-text.ts'
import { listenError } from '../runtime/network/listen-error.ts'

/** What is shown at /metrics. */
export interface MetricsPage {
  readonly contentType: string
  text(): Promise<string>
}

export interface MetricsServerParts {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly page: MetricsPage
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
}

export interface MetricsServer extends AsyncDisposable {
  /** Of the page. */
  readonly url: string
}

/** Scrapers are few: whoever opens more connections has them closed. */
const MOST_CONNECTIONS = 64
/** Milliseconds for a request to be told. */
const PATIENCE = 10_000

/** A page for Prometheus and nothing else. @throws UserError where it cannot listen */
export const serveMetrics = async ({ host, port, page, say }: MetricsServerParts): Promise<MetricsServer> => {
  const server = createServer({ requestTimeout: PATIENCE, headersTimeout: PATIENCE }, (request, response) => {
    answer(page, request, response).catch((error: unknown) => {
      say(`metrics: ${error instanceof Error ? error.message : error}`, 'warn')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(error, [`${host}:${port}`])))
    server.listen(port, host, resolve)
  })
  server.on('error', error => say(`metrics: ${error.message}`, 'warn'))
  const bound = server.address() as AddressInfo
  return {
    url: `http://${endpointText({ host: bound.address, port: bound.port })}/metrics`,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const answer = async (page: MetricsPage, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  request.resume() // a body says nothing here
  const [path] = (request.url ?? '').split('?')
  if (path !== '/metrics') return void response.writeHead(404, TEXT).end('metrics are at /metrics\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void response.writeHead(405, { ...TEXT, allow: 'GET, HEAD' }).end('GET reads it\n')
  const text = await page.text()
  response.writeHead(200, { 'content-type': page.contentType }).end(request.method === 'HEAD' ? undefined : text)
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
