import type { Election } from '../../cluster/election.ts'
import { Leader } from '../../cluster/leader.ts'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import type { Place, PlacementOutcome, PlacementProblem } from '../../planner/placement.ts'
import type { ClusterView } from './cluster-view.ts'
import { PLANNING_JOB } from './planning-job.ts'
import { problemOfView } from './problem-of-view.ts'

export interface LeaderParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly election: Election
  readonly place: Place
  /** A problem to place is to come in a moment. */
  readonly expectProblem?: (() => void) | undefined
  readonly wholeModels: WholeModels
  /** Connected devices; of each a state is to come. */
  readonly connected: () => Iterable<DeviceId>
  readonly publish: (placement: NumberedPlacement) => void
  /** It begins or ends making a plan: the others are to hear that. */
  readonly turned: () => void
}

/** The leader as a running device has it: what the others have said of themselves is what is planned for. */
export const createLeader = (parts: LeaderParts): Leader => {
  const { clock, guard, view, election, connected, publish, place, turned } = parts
  return new Leader({
    self: view.self,
    now: () => clock.now(),
    election,
    allAreKnown: () => [...connected()].every(id => view.isIntroduced(id)) && view.unknownModels().length === 0,
    problem: () => problemOfView(view, parts.wholeModels, device => election.isPassedOver(device)),
    make: (problem, made, failed) => {
      void guard.watch(PLANNING_JOB, plan(place, problem, made, failed).finally(turned))
      turned()
    },
    publish,
    ...(parts.expectProblem === undefined ? {} : { expect: parts.expectProblem })
  })
}

const plan = async (
  place: Place,
  problem: PlacementProblem,
  made: (outcome: PlacementOutcome) => void,
  failed: () => void
): Promise<void> => {
  let outcome: PlacementOutcome
  try {
    outcome = await place(problem)
  } catch (error) {
    failed()
    throw error
  }
  made(outcome)
}
