import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it came, and of which process. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  /** Seconds since 1970. */
  readonly start: number
  readonly end: number
  readonly attributes: Readonly<Record<string, string | number>>
  readonly resource: Readonly<Record<string, string | number>>
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
}

// biome-ignore lint/suspicious/noExplicitAny: a foreign program's JSON
type Json = any

/** What OpenTelemetry's exporters send by HTTP as JSON, kept. */
export const otlpReceiver = async (): Promise<OtlpReceiver> => {
  const spans: ReceivedSpan[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    if (request.url !== '/v1/traces') return response.writeHead(404).end()
    for (const { resource, scopeSpans } of (JSON.parse(Buffer.concat(pieces).toString()) as Json).resourceSpans)
      for (const span of scopeSpans.flatMap((scope: Json) => scope.spans)) spans.push(received(span, resource))
    return response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

const received = (span: Json, resource: Json): ReceivedSpan => ({
  ...{ traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId ?? '', name: span.name },
  ...{ start: Number(span.startTimeUnixNano) / 1e9, end: Number(span.endTimeUnixNano) / 1e9 },
  ...{ attributes: valuesOf(span.attributes), resource: valuesOf(resource.attributes) }
})

const valuesOf = (list: Json): Record<string, string | number> =>
  Object.fromEntries(
    list.map(({ key, value }: Json) => [key, value.stringValue ?? Number(value.intValue ?? value.doubleValue)])
  )
