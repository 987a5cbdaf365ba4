import { Election, type ElectionPorts, type Vote } from '../../cluster/election.ts'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { Clock } from '../../core/clock.ts'
import { deviceId } from '../../core/ids.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ClusterView } from './cluster-view.ts'
import { isPlacementOwed } from './is-placement-owed.ts'

export interface CreateElectionParts extends Pick<ElectionPorts, 'say'> {
  readonly clock: Clock
  readonly view: ClusterView
  /** What this device follows. */
  readonly current: () => NumberedPlacement | undefined
}

/** The election as a running device has it: votes come with what the others say of themselves, which they sign. */
export const createElection = ({ clock, view, current, say }: CreateElectionParts): Election =>
  new Election({
    ...{ self: view.self, now: () => clock.now(), current, say },
    staying: () => view.electorate().map(({ device, canPlan }) => ({ id: deviceId(device), canPlan })),
    votes: () => view.electorate().flatMap(state => (state.device === view.self ? [] : [voteOf(state)])),
    owes: planner => isPlacementOwed(planner, current(), view),
    nameOf: device => view.nameOf(device)
  })

const voteOf = ({ device, elects, follows, followsTerm }: DeviceState): Vote => ({
  id: deviceId(device),
  elects: elects === '' ? undefined : deviceId(elects),
  follows: follows === '' ? undefined : { term: followsTerm, planner: deviceId(follows) }
})
