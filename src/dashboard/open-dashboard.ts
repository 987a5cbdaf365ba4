import type { Server } from 'node:http'
import type { Clock } from '../core/clock.ts'
import type { Seconds } from '../core/units.ts'
import type { ClusterStatus } from '../runtime/device/device-status.ts'
import type { PlanDesk } from '../runtime/device/plan-desk.ts'
import type { Endpoint } from '../runtime/parse-endpoint.ts'
import { createHttpServer, type HttpServer } from '../serving/http/create-http-server.ts'
import { listenAt } from '../serving/listen-at.ts'
import { SERVING_LIMITS } from '../serving/serving-limits.ts'
import { addActionRoutes } from './actions/add-action-routes.ts'
import { actionFacts, type DashboardActions, type NoActions } from './actions/dashboard-actions.ts'
import { addDashboardRoutes, OPEN_PATHS } from './add-dashboard-routes.ts'
import { addResultRoutes } from './add-result-routes.ts'
import { addStepRoutes } from './add-step-routes.ts'
import { addPlanRoutes } from './plans/add-plan-routes.ts'
import { OutlookDesk } from './plans/outlook-desk.ts'
import type { RecentLines } from './recent-lines.ts'
import type { RecentResults } from './recent-results.ts'
import { StatusFeed } from './status-feed.ts'
import { StepFeed, type StepFeedParts } from './step-feed.ts'

export interface DashboardParts {
  readonly at: Endpoint
  /** Who looks must bring it. */
  readonly token: string | undefined
  /** In PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly status: () => ClusterStatus
  readonly plans: PlanDesk
  /** What a page may have done. */
  readonly actions: DashboardActions | NoActions
  readonly lines: RecentLines
  /** Of this device's sources. */
  readonly results: RecentResults
  /** What all devices do. */
  readonly steps: StepFeedParts['watch']
  readonly clock: Clock
  /** Since 1970. */
  readonly wallTime: () => Seconds
  readonly say: (text: string, level?: 'warn') => void
  /** What else stands on the same server. */
  readonly routes?: readonly ((server: HttpServer) => void)[]
}

export interface Dashboard extends AsyncDisposable {
  /** Where it listens. */
  readonly at: Endpoint
}

/** A page that shows the cluster as it is. @throws UserError `packageMissing`, `portInUse`, `cannotListen` */
export const openDashboard = async ({
  at,
  token,
  tls,
  say,
  results,
  plans,
  actions,
  steps,
  routes = [],
  ...parts
}: DashboardParts): Promise<Dashboard> => {
  const server = await createHttpServer({ token, tls, limits: SERVING_LIMITS, say, openPaths: OPEN_PATHS })
  try {
    await addDashboardRoutes(server, new StatusFeed(parts))
    addResultRoutes(server, results)
    const desk = new OutlookDesk({ clock: parts.clock, plans })
    addPlanRoutes(server, { plans, desk, actions: actionFacts(actions) })
    addActionRoutes(server, { actions, say })
    addStepRoutes(server, new StepFeed({ watch: steps, clock: parts.clock, rate: () => rateOf(parts.status()) }))
    for (const add of routes) add(server)
    await server.app.ready()
    return { at: await listenAt(server.app.server as Server, at), [Symbol.asyncDispose]: () => server.stop() }
  } catch (error) {
    await server.stop()
    throw error
  }
}

const rateOf = ({ sources }: ClusterStatus): number => sources.reduce((sum, { rate }) => sum + rate, 0)
