import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { speaksOf } from '../../cluster/rollout.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { ClusterView } from './cluster-view.ts'
import { isThere } from './is-spoken-of.ts'

/**
 * Whether a planner should have told this device another placement than what it follows: it has planned none, or one without devices
 * that have elected it, without models that are there, or with blocks of which no carrier is there any more.
 */
export const isPlacementOwed = (
  planner: DeviceId,
  current: NumberedPlacement | undefined,
  view: ClusterView
): boolean => {
  const models = view.manifests()
  if (models.length === 0) return false
  if (current?.planner !== planner) return true
  const { placement } = current
  const isForgotten = view
    .planned()
    .some(({ device, elects }) => !placement.has(deviceId(device)) && (device === view.self || elects === planner))
  return isForgotten || models.some(({ id }) => !speaksOf(current, id)) || hasLostBlock(current, view)
}

const hasLostBlock = ({ placement, planner }: NumberedPlacement, view: ClusterView): boolean => {
  const [lost, carried] = [new Set<string>(), new Set<string>()]
  for (const [device, models] of placement) {
    const into = isThere(device, planner, view) ? carried : lost
    for (const [model, blocks] of models) for (const block of blocks) into.add(`${model} ${block}`)
  }
  return [...lost].some(block => !carried.has(block))
}
