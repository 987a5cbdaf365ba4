import { JobGuard } from '../core/job-guard.ts'
import type { PlacementProblem } from '../planner/placement.ts'
import type { ClusterView } from '../runtime/cluster/cluster-view.ts'
import { createElection } from '../runtime/cluster/create-election.ts'
import { createLeader } from '../runtime/cluster/create-leader.ts'
import { createManualClock } from './manual-clock.ts'

/** The leader as a device with that view, on a clock that the test moves; what it was asked to plan, in order. */
export const createWatchedLeader = (view: ClusterView) => {
  const clock = createManualClock()
  const planned: PlacementProblem[] = []
  const election = createElection({ clock, view, current: () => undefined, say: () => {} })
  const leader = createLeader({
    ...{ clock, view, election, guard: new JobGuard({ clock, say: () => {} }) },
    ...{ wholeModels: false, connected: () => [] },
    publish: () => {},
    turned: () => {},
    place: async problem => {
      planned.push(problem)
      return { placement: new Map(), unplaced: [] }
    }
  })
  /** Looks who is to plan, and plans where that is this device. */
  const tick = (): void => {
    election.tick()
    leader.tick(undefined)
  }
  return { clock, leader, planned, tick }
}
