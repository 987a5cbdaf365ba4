import { VERSION } from '../../node/version.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { Endpoint } from '../../runtime/parse-endpoint.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import type { Answered } from '../../serving/answered.ts'
import type { HttpServer } from '../../serving/http/create-http-server.ts'
import type { MetricsPage } from '../../telemetry/metrics-page.ts'
import type { MetricsServer } from '../../telemetry/serve-metrics.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { servingSecrets } from './serving-secrets.ts'

export interface NodeMetrics extends AsyncDisposable {
  readonly observer: DeviceObserver
  /** Told of the requests of other programs. */
  readonly answered: Answered
  /** The page, on another server of this node. */
  readonly route: (server: HttpServer) => void
  /** From now on its numbers are on the page. */
  watch(device: Device): void
}

/**
 * The page for Prometheus, where this node answers anybody: on the port of its own, and for those that have others. What makes it is
 * loaded only then.
 * @throws UserError where it cannot listen
 */
export const openMetrics = async (options: NodeOptions, log: NodeLog): Promise<NodeMetrics | undefined> => {
  const { metrics, dashboard, serving } = options
  if (metrics === undefined && dashboard === undefined && serving.http === undefined) return undefined
  const { DeviceMetrics } = await import('../../telemetry/device-metrics.ts')
  const { addMetricsRoute } = await import('../../telemetry/add-metrics-route.ts')
  const page = new DeviceMetrics({ version: VERSION })
  const server = metrics === undefined ? undefined : await servePage(metrics, options, page, log)
  return {
    observer: page,
    answered: (route, code) => page.answered(route, code),
    route: other => addMetricsRoute(other, page),
    watch: device => page.watch(device),
    [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose]()
  }
}

/** What the other ports ask of whoever comes, this one asks too. */
const servePage = async (
  endpoint: Endpoint,
  { name, serving }: NodeOptions,
  page: MetricsPage,
  log: NodeLog
): Promise<MetricsServer> => {
  const { serveMetrics } = await import('../../telemetry/serve-metrics.ts')
  const secrets = await servingSecrets(serving)
  const server = await serveMetrics({ ...endpoint, ...secrets, page, say: (text, level) => log.say(text, level) })
  log.say(`metrics at ${server.url}`)
  log.event({ event: 'metrics', name, url: server.url })
  return server
}
