import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { ClusterView } from './cluster-view.ts'

/** Whether this device has met another, or a third says that it has: two may be kept apart from each other that both are there. */
export const isSpokenOf = (device: DeviceId, planner: DeviceId, view: ClusterView): boolean =>
  view.world.deviceIndex(device) !== undefined || isLinkedBySomebody(device, planner, view)

/** Likewise, and is there now. */
export const isThere = (device: DeviceId, planner: DeviceId, view: ClusterView): boolean =>
  device === view.self || view.isUp(device) || isLinkedBySomebody(device, planner, view)

const isLinkedBySomebody = (device: DeviceId, planner: DeviceId, view: ClusterView): boolean =>
  view
    .members()
    .some(
      state =>
        deviceId(state.device) !== planner && state.device !== view.self && state.links.some(({ to }) => to === device)
    )
