import { placementProblem } from '../../cluster/placement-problem.ts'
import type { StatedDevice } from '../../cluster/stated-device.ts'
import { batchCurve } from '../../core/batch-curve.ts'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { bytes } from '../../core/units.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import { demandOf } from '../../planner/demand-of.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ClusterView } from './cluster-view.ts'
import { lanesOf } from './lanes-of.ts'
import { sourcesFromWire } from './source-codec.ts'

/**
 * What is to be planned, as this device has heard of its cluster.
 * @param isPassedOver who planned before, and had data go where they did not come back: itself, where that is said of it @default nobody
 */
export const problemOfView = (
  view: ClusterView,
  wholeModels: WholeModels,
  isPassedOver: (device: DeviceId) => boolean = () => false
): PlacementProblem =>
  placementProblem({
    devices: view.planned().map(state => stated(state, view, isPassedOver)),
    models: view.manifests().map(({ id, blocks, activations, pinned }) => ({
      ...{ id, blocks, pinned },
      activations: activations.map(activation => activation.bytes)
    })),
    wholeModels
  })

const stated = (state: DeviceState, view: ClusterView, isPassedOver: (device: DeviceId) => boolean): StatedDevice => ({
  id: deviceId(state.device),
  speed: speedOf(state, view),
  lanes: lanesOf(state),
  isOutOfPlans:
    view.distrust.isOutOfPlans(deviceId(state.device)) ||
    (isPassedOver(deviceId(state.device)) && isSaidToSwallow(deviceId(state.device), view)),
  memory: bytes(state.memory === undefined ? Number.POSITIVE_INFINITY : Number(state.memory)),
  models: state.models.map(({ model, blocks, times }) => ({
    model: modelId(model),
    // A plan is for devices that have all that they can do: as many data at once as gains most.
    carried: blocks.map(({ block, seconds: time, batch }) => {
      const curve = batchCurve(batch)
      return { block, seconds: time * (curve?.share(curve.best) ?? 1) }
    }),
    times
  })),
  links: linksFrom(deviceId(state.device), view),
  // What the source itself takes its name for: a planner that took it for another would place what nobody computes.
  sources: sourcesFromWire(state).map(({ model: name, modelId: said, rate }) => ({
    model: said ?? view.models.resolve(name, deviceId(state.device))?.id,
    demand: demandOf(rate)
  }))
})

const speedOf = ({ device, speed }: DeviceState, { world }: ClusterView): number =>
  speed > 0 ? speed : world.devices[world.deviceIndex(deviceId(device))!]!.speed

const isSaidToSwallow = (device: DeviceId, view: ClusterView): boolean =>
  view.manifests().some(({ id }) => view.distrust.isSaidSetAside(device, id))

const linksFrom = (device: DeviceId, view: ClusterView): StatedDevice['links'] => {
  const { world } = view
  return world.links[world.deviceIndex(device)!]!.filter(({ up }) => up).map(({ to, rate, latency, resource }) => ({
    to: world.devices[to]!.id,
    rate,
    latency,
    medium: view.mediumOf(resource) === '' ? undefined : resource
  }))
}
