import { JobGuard } from '../core/job-guard.ts'
import type { PlacementProblem } from '../planner/placement.ts'
import type { ClusterView } from '../runtime/cluster/cluster-view.ts'
import { createLeader } from '../runtime/cluster/create-leader.ts'
import { createManualClock } from './manual-clock.ts'

/** The leader as a device with that view, on a clock that the test moves; what it was asked to plan, in order. */
export const createWatchedLeader = (view: ClusterView) => {
  const clock = createManualClock()
  const planned: PlacementProblem[] = []
  const leader = createLeader({
    ...{ clock, view, guard: new JobGuard({ clock, say: () => {} }), wholeModels: false, connected: () => [] },
    publish: () => {},
    place: async problem => {
      planned.push(problem)
      return { placement: new Map(), unplaced: [] }
    }
  })
  return { clock, leader, planned }
}
