import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { speaksOf } from '../../cluster/rollout.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { ClusterView } from './cluster-view.ts'
import { isThere } from './is-spoken-of.ts'

/**
 * Whether a planner should have told this device another placement than what it follows: it has planned none, or one without devices
 * that have elected it, without models that are there, or with blocks of which no carrier is there any more, or none that returns data.
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
  if (isForgotten || models.some(({ id }) => !speaksOf(current, id))) return true
  return hasLostBlock(current, view) || hasDeadBlock(current, view)
}

const hasLostBlock = ({ placement, planner }: NumberedPlacement, view: ClusterView): boolean => {
  const [lost, carried] = [new Set<string>(), new Set<string>()]
  for (const [device, models] of placement) {
    const into = isThere(device, planner, view) ? carried : lost
    for (const [model, blocks] of models) for (const block of blocks) into.add(`${model} ${block}`)
  }
  return [...lost].some(block => !carried.has(block))
}

/**
 * Some block is with devices alone that return no data to sources here, though others have room for all. Of the planner itself
 * the word of any member is enough: who places all on itself and swallows it would else be elected for ever.
 */
const hasDeadBlock = ({ placement, planner }: NumberedPlacement, view: ClusterView): boolean => {
  if (planner === view.self) return false
  const [dead, alive] = [new Map<string, DeviceId[]>(), new Set<string>()]
  for (const [device, models] of placement) {
    for (const [model, blocks] of models) {
      const isDead =
        view.distrust.isSetAsideHere(device, model) ||
        (device === planner && view.distrust.isSaidSetAside(device, model))
      for (const block of blocks) {
        const key = `${model} ${block}`
        if (isDead) dead.set(key, [...(dead.get(key) ?? []), device])
        else alive.add(key)
      }
    }
  }
  return [...dead].some(([key, devices]) => !alive.has(key) && haveRoomForAll(view, new Set(devices)))
}

const haveRoomForAll = (view: ClusterView, without: ReadonlySet<DeviceId>): boolean => {
  const others = view.planned().filter(({ device }) => !without.has(deviceId(device)))
  const room = others.reduce((sum, { memory }) => sum + Number(memory ?? Number.POSITIVE_INFINITY), 0)
  const weight = view.manifests().reduce((all, { blocks }) => blocks.reduce((sum, block) => sum + block.bytes, all), 0)
  return others.length > 0 && room >= weight
}
