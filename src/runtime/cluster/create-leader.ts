import { Leader } from '../../cluster/leader.ts'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { placementProblem } from '../../cluster/placement-problem.ts'
import type { StatedDevice } from '../../cluster/stated-device.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { bytes } from '../../core/units.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import { demandOf } from '../../planner/demand-of.ts'
import type { Place, PlacementOutcome, PlacementProblem } from '../../planner/placement.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ClusterView } from './cluster-view.ts'
import { sourcesFromWire } from './source-codec.ts'

export interface LeaderParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly place: Place
  readonly wholeModels: WholeModels
  /** Connected devices; of each a state is to come. */
  readonly connected: () => Iterable<DeviceId>
  readonly publish: (placement: NumberedPlacement) => void
}

/** The leader as a running device has it: what the others have said of themselves is what is planned for. */
export const createLeader = (parts: LeaderParts): Leader => {
  const { clock, guard, view, connected, publish } = parts
  return new Leader({
    self: view.self,
    now: () => clock.now(),
    staying: () => view.staying().map(({ device, canPlan }) => ({ id: deviceId(device), canPlan })),
    allAreKnown: () => [...connected()].every(id => view.isIntroduced(id)) && view.unknownModels().length === 0,
    problem: () => problemOf(parts),
    make: (problem, made, failed) => void guard.watch('making a plan', plan(parts.place, problem, made, failed)),
    publish
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

const problemOf = ({ view, wholeModels }: LeaderParts): PlacementProblem =>
  placementProblem({
    devices: view.staying().map(state => stated(state, view)),
    models: view.manifests().map(({ id, blocks, activations, pinned }) => ({
      ...{ id, blocks, pinned },
      activations: activations.map(activation => activation.bytes)
    })),
    wholeModels
  })

const stated = (state: DeviceState, view: ClusterView): StatedDevice => ({
  id: deviceId(state.device),
  speed: state.speed,
  memory: bytes(state.memory === undefined ? Number.POSITIVE_INFINITY : Number(state.memory)),
  models: state.models.map(({ model, blocks: carried, times }) => ({ model: modelId(model), carried, times })),
  links: linksFrom(deviceId(state.device), view),
  // What the source itself takes its name for: a planner that took it for another would place what nobody computes.
  sources: sourcesFromWire(state).map(({ model: name, modelId: said, rate }) => ({
    model: said ?? view.models.resolve(name, deviceId(state.device))?.id,
    demand: demandOf(rate)
  }))
})

const linksFrom = (device: DeviceId, view: ClusterView): StatedDevice['links'] => {
  const { world } = view
  return world.links[world.deviceIndex(device)!]!.filter(({ up }) => up).map(({ to, rate, latency, resource }) => ({
    to: world.devices[to]!.id,
    rate,
    latency,
    medium: view.mediumOf(resource) === '' ? undefined : resource
  }))
}
