import { VERSION } from '../../node/version.ts'
import type { Device } from '../../runtime/device/device.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import type { Answered } from '../../serving/answered.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

export interface NodeMetrics extends AsyncDisposable {
  readonly observer: DeviceObserver
  /** Told of the requests of other programs. */
  readonly answered: Answered
  /** From now on its numbers are on the page. */
  watch(device: Device): void
}

/**
 * The page for Prometheus, where one is asked for; what makes it is loaded only then.
 * @throws UserError where it cannot listen
 */
export const openMetrics = async (
  { name, metrics: endpoint }: NodeOptions,
  log: NodeLog
): Promise<NodeMetrics | undefined> => {
  if (endpoint === undefined) return undefined
  const { DeviceMetrics } = await import('../../telemetry/device-metrics.ts')
  const { serveMetrics } = await import('../../telemetry/serve-metrics.ts')
  const page = new DeviceMetrics({ version: VERSION })
  const server = await serveMetrics({ ...endpoint, page, say: (text, level) => log.say(text, level) })
  log.say(`metrics at ${server.url}`)
  log.event({ event: 'metrics', name, url: server.url })
  return {
    observer: page,
    answered: (route, code) => page.answered(route, code),
    watch: device => page.watch(device),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}
