import type { SourceActions } from '../../dashboard/actions/dashboard-actions.ts'
import type { Dashboard } from '../../dashboard/open-dashboard.ts'
import type { RecentLines } from '../../dashboard/recent-lines.ts'
import type { RecentResults } from '../../dashboard/recent-results.ts'
import type { Device } from '../../runtime/device/device.ts'
import { endpointText } from '../../runtime/endpoint-text.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { HttpServer } from '../../serving/http/create-http-server.ts'
import { isLoopback } from '../../serving/is-loopback.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions, ServingFlags } from './node-options.ts'
import { servingSecrets } from './serving-secrets.ts'

export interface NodeDashboardParts {
  readonly options: Pick<NodeOptions, 'dashboard'> & {
    readonly serving: Pick<ServingFlags, 'tokenFile' | 'tlsCert' | 'tlsKey'>
  }
  readonly device: Device
  /** Of its cluster. */
  readonly invite: () => string
  /** Undefined where it has none and can have none. */
  readonly sources: SourceActions | undefined
  readonly log: NodeLog
  readonly lines: RecentLines
  /** The page for Prometheus, beside the rest. */
  readonly metrics: ((server: HttpServer) => void) | undefined
  readonly results: RecentResults
}

const ONLY_LOOKS = {
  because:
    'This page can only look. Start its node with --serve-token-file FILE: whoever brings the token that stands there may drain devices, change sources and see the invite.'
}

/** @returns undefined where no page is asked for @throws UserError */
export const openNodeDashboard = async ({
  options: { dashboard, serving },
  device,
  invite,
  sources,
  log,
  lines,
  metrics,
  results
}: NodeDashboardParts): Promise<Dashboard | undefined> => {
  if (dashboard === undefined) return undefined
  const { token, tls } = await servingSecrets(serving)
  const { openDashboard } = await import('../../dashboard/open-dashboard.ts')
  const page = await openDashboard({
    ...{ at: dashboard, token, tls, lines, results, clock: systemClock, wallTime, status: () => device.status() },
    steps: device.watchSteps(),
    plans: device.plans,
    // Without a token whoever reaches the port could ask.
    actions:
      token === undefined
        ? ONLY_LOOKS
        : { drain: id => device.drain(id), nameOf: id => device.view.nameOf(id), invite, sources },
    say: (text, level) => log.say(text, level),
    routes: metrics === undefined ? [] : [metrics]
  })
  const url = `http${tls === undefined ? '' : 's'}://${endpointText(page.at)}/`
  log.say(`the cluster is shown at ${url}`)
  log.event({ event: 'dashboard', url })
  if (!isLoopback(page.at) && token === undefined)
    log.say('whoever reaches this machine may look: add --serve-token-file FILE to ask for a token', 'warn')
  return page
}
