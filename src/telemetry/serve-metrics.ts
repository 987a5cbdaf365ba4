import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { endpointText } from '../runtime/endpoint-text.ts'
import { listenError } from '../runtime/network/listen-error.ts'
import { createTokenCheck } from '../serving/check-token.ts'
import { asServingError } from '../serving/serving-error.ts'
import type { MetricsPage } from './metrics-page.ts'

export interface MetricsServerParts {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Who asks must bring it. */
  readonly token: string | undefined
  /** In PEM; undefined: it is not encrypted. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
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

/** A page for Prometheus and nothing else, without the packages of serving. @throws UserError where it cannot listen */
export const serveMetrics = async (parts: MetricsServerParts): Promise<MetricsServer> => {
  const { host, port, token, tls, page, say } = parts
  const checkToken = createTokenCheck(token)
  const handle = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(page, checkToken, request, response).catch((error: unknown) => {
      say(`metrics: ${error instanceof Error ? error.message : error}`, 'warn')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  const patience = { requestTimeout: PATIENCE, headersTimeout: PATIENCE }
  const server = tls === undefined ? createServer(patience, handle) : createTlsServer({ ...patience, ...tls }, handle)
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(error, [`${host}:${port}`], true)))
    server.listen(port, host, resolve)
  })
  server.on('error', error => say(`metrics: ${error.message}`, 'warn'))
  const bound = server.address() as AddressInfo
  return {
    url: `http${tls === undefined ? '' : 's'}://${endpointText({ host: bound.address, port: bound.port })}/metrics`,
    [Symbol.asyncDispose]: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const answer = async (
  page: MetricsPage,
  checkToken: ReturnType<typeof createTokenCheck>,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> => {
  request.resume() // a body says nothing here
  try {
    checkToken(request.headers.authorization)
  } catch (error) {
    const { httpStatus, message } = asServingError(error)
    return void response.writeHead(httpStatus, { ...TEXT, 'www-authenticate': 'Bearer' }).end(`${message}\n`)
  }
  const [path] = (request.url ?? '').split('?')
  if (path !== '/metrics') return void response.writeHead(404, TEXT).end('metrics are at /metrics\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return void response.writeHead(405, { ...TEXT, allow: 'GET, HEAD' }).end('GET reads it\n')
  const text = await page.text()
  response.writeHead(200, { 'content-type': page.contentType }).end(request.method === 'HEAD' ? undefined : text)
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' }
