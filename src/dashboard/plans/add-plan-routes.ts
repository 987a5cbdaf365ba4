import { outlookChangeSchema } from '../../planner/outlook-change.ts'
import type { PlanDesk } from '../../runtime/device/plan-desk.ts'
import type { HttpServer } from '../../serving/http/create-http-server.ts'
import type { ActionFacts } from '../actions/dashboard-actions.ts'
import { readJson } from '../read-json.ts'
import type { OutlookDesk } from './outlook-desk.ts'
import type { PlanFacts } from './plan-facts.ts'

export interface PlanRouteParts {
  readonly plans: Pick<PlanDesk, 'history' | 'blockBytes'>
  readonly desk: OutlookDesk
  readonly actions: ActionFacts
}

/** GET /api/plan: placements, and what limits the cluster. POST /api/preview: what would be if; it changes nothing. */
export const addPlanRoutes = (server: HttpServer, { plans, desk, actions }: PlanRouteParts): void => {
  server.app.get('/api/plan', async (): Promise<PlanFacts> => {
    return { history: plans.history(), blocks: plans.blockBytes(), ...desk.kept(), actions }
  })
  server.app.post('/api/preview', async request => desk.preview(await readJson(server, request, outlookChangeSchema)))
}
